/** C0 and C1 controls but tab and line feed: a terminal would obey them. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Writes control characters out as `\x1b`: what a program printed, or a file holds, must not direct somebody's terminal. */
export function visible(text: string): string {
  return text.replaceAll(control, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
