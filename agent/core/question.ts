/** One question that came in by HTTP, as a value. */
export interface Question {
  /** Upper-case method. */
  readonly method: string;
  /** Path with query as it came. */
  readonly target: string;
}

/** Its answer as text. */
export interface QuestionAnswer {
  readonly type: string;
  readonly body: string;
}

/** Answers questions. Never rejects and never takes longer than a second. */
export interface QuestionDesk {
  answer(question: Question): Promise<QuestionAnswer>;
}
