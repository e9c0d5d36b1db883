import { AgentError } from '../../agent/core/agent-error.ts';

/** One row of sysroot-overlay/MODES. */
export interface ModeRow {
  readonly kind: 'd' | 'f';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly path: string;
  /** True for what a stock image does not have; the agent then makes a root of its own. */
  readonly isMountPoint: boolean;
}

/** Users and groups that the overlay may name, with OpenHarmony's ids (startup_init services/etc/passwd, 6.0). */
const ids: Readonly<Record<string, number>> = { root: 0, system: 1000, shell: 2000 };

const rowPattern = /^([df]) ([0-7]{4}) (\w+) (\w+) (\/\S+?)( mountpoint)?$/;

/** Parses sysroot-overlay/MODES; all broken rows are reported at once. */
export function parseModes(text: string): ModeRow[] {
  const rows: ModeRow[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const row = parseRow(line);
    if (typeof row === 'string') problems.push(`line ${index + 1}: ${row}`);
    else if (rows.some(({ path }) => path === row.path))
      problems.push(`line ${index + 1}: ${row.path} is there twice`);
    else rows.push(row);
  }
  if (problems.length === 0) return rows;
  throw new AgentError(
    'FILE_FAILED',
    `Cannot read the overlay's MODES: ${problems.join('; ')}; correct these lines`,
  );
}

/** A row, or what is wrong with it. */
function parseRow(line: string): ModeRow | string {
  const match = rowPattern.exec(line);
  if (match === null) return 'want "kind mode owner group path [mountpoint]"';
  const [, kind, mode = '', owner = '', group = '', path = '', mountPoint] = match;
  const uid = ids[owner];
  const gid = ids[group];
  if (uid === undefined || gid === undefined) return `unknown owner ${owner} ${group}`;
  const isMountPoint = mountPoint !== undefined;
  return { kind: kind === 'd' ? 'd' : 'f', mode: Number.parseInt(mode, 8), uid, gid, path, isMountPoint };
}
