/** Local date and time of a wall-clock millisecond, `2025-01-31 13:05:09`. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Wall-clock milliseconds of a written date (ISO 8601, local time where no zone is given), or undefined. */
export function parseInstant(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
