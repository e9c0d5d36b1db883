/** Least milliseconds in which whoever has waited for the API can ask; nothing that comes later notices them. */
const momentMs = 5;
/** The same as a part of the time since the process began: where the agent starts slowly, others are slow to ask. */
const momentPart = 0.1;
const longestMomentMs = 100;

/** Resolves when the event loop is through with its turn: whoever already asks is answered before what comes next. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Lets those who have waited for the API come in and be answered before the rest of the start. */
export function moment(): Promise<void> {
  return new Promise((resolve) => {
    // Not performance.now(), which loads a module of Node's that nobody needs yet.
    const runMs = 1_000 * process.uptime();
    setTimeout(resolve, Math.min(Math.max(momentMs, momentPart * runMs), longestMomentMs));
  });
}
