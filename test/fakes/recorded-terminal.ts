import { styleFor, type Terminal } from '../../scripts/terminal/terminal.ts';

/** A terminal that keeps what was written to it, one entry a call. */
export class RecordedTerminal implements Terminal {
  readonly answers: string[] = [];
  readonly complaints: string[] = [];
  readonly out = (text: string): void => void this.answers.push(text);
  readonly err = (text: string): void => void this.complaints.push(text);
  readonly style = styleFor(false);
  readonly width = 100;
  readonly hasColor = false;

  /** Everything that went to standard output. */
  text(): string {
    return this.answers.join('\n');
  }

  /** Everything that went to standard error. */
  complaint(): string {
    return this.complaints.join('\n');
  }
}
