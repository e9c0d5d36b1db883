import { AgentError } from '../core/agent-error.ts';

/** Largest configuration text that is read, in bytes; a real one has less than 300 KB. */
export const configSizeLimit = 4 * 1024 * 1024;

/** One line that sets an option; `# CONFIG_X is not set` and `CONFIG_X=n` both read as value `n`. */
export interface ConfigLine {
  readonly name: string;
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** A defconfig layer or a whole .config. */
export interface ConfigFile {
  /** Its path or another name for messages. */
  readonly source: string;
  readonly lines: readonly ConfigLine[];
  /** Lines that look like a setting but that the kernel's build ignores. */
  readonly ignored: readonly { readonly line: number; readonly text: string }[];
  /** Kernel version from the header comment, `major.minor`. */
  readonly kernel: string | undefined;
  /** Written by Kconfig with every symbol in it, so that a symbol it does not name is off. */
  readonly isWhole: boolean;
}

/** What an option is set to and by which line. */
export interface Setting {
  readonly value: string;
  readonly source: string;
  readonly line: number;
}

/** One layer that changes what an earlier layer said. */
export interface Override {
  readonly name: string;
  readonly before: Setting;
  readonly after: Setting;
}

const assignment = /^CONFIG_(\w+)=(.*)$/;
const negation = /^# CONFIG_(\w+) is not set$/;
const looksLikeSetting = /^(?:#\s*)?CONFIG_\w+\s*(?:=|is not set)/;
const header = /^# Linux\/\S+ (\d+\.\d+)\S* Kernel Configuration$/m;

function refuseForeign(text: string, source: string): void {
  if (text.includes('\0')) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${source}" as a kernel configuration: it is a binary file, want the text of a defconfig, .config or config.gz`,
    );
  }
  if (text.includes('\r')) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${source}" as a kernel configuration: it has Windows line ends (CRLF), which merge_config.sh of the kernel misreads; convert it with: sed -i 's/\\r$//' "${source}"`,
    );
  }
}

function parseLine(text: string, line: number): ConfigLine | undefined {
  const set = assignment.exec(text);
  if (set !== null) return { name: set[1] ?? '', value: set[2] ?? '', line };
  const unset = negation.exec(text);
  return unset === null ? undefined : { name: unset[1] ?? '', value: 'n', line };
}

/**
 * Reads the text of a defconfig layer or a .config as merge_config.sh and Kconfig read it. Throws INPUT_INVALID for a
 * binary file, Windows line ends, or a text without a single setting.
 */
export function parseConfig(text: string, source: string): ConfigFile {
  refuseForeign(text, source);
  const lines: ConfigLine[] = [];
  const ignored: { line: number; text: string }[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const parsed = parseLine(raw, index + 1);
    if (parsed !== undefined) lines.push(parsed);
    else if (looksLikeSetting.test(raw)) ignored.push({ line: index + 1, text: raw });
  }
  if (lines.length === 0) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${source}" as a kernel configuration: it sets no option, want lines like CONFIG_VETH=y`,
    );
  }
  const isWhole = lines.some(({ name }) => name === 'CC_VERSION_TEXT');
  return { source, lines, ignored, kernel: header.exec(text)?.[1], isWhole };
}

/** Writes settings the way Kconfig does: `n` as a comment, everything else as an assignment. */
export function printConfig(settings: Iterable<readonly [name: string, value: string]>): string {
  let text = '';
  for (const [name, value] of settings) {
    text += value === 'n' ? `# CONFIG_${name} is not set\n` : `CONFIG_${name}=${value}\n`;
  }
  return text;
}

/** The layers one over the other; the last line that names an option wins, as in merge_config.sh. */
export function mergeConfigs(files: readonly ConfigFile[]): {
  readonly config: ReadonlyMap<string, Setting>;
  readonly overrides: readonly Override[];
} {
  const config = new Map<string, Setting>();
  const overrides: Override[] = [];
  for (const file of files) {
    for (const { name, value, line } of file.lines) {
      const before = config.get(name);
      const after: Setting = { value, source: file.source, line };
      if (before !== undefined && before.value !== value && before.source !== file.source) {
        overrides.push({ name, before, after });
      }
      config.set(name, after);
    }
  }
  return { config, overrides };
}
