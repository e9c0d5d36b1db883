import { AgentError } from '../../agent/core/agent-error.ts';
import type { AppendFiles } from '../../agent/core/append-files.ts';
import type { Files, ReplaceOptions } from '../../agent/core/files.ts';

/**
 * Files and appends in memory. `tear` cuts the power in the middle of the next append: a part of its text stays and
 * the append never resolves. `fail` refuses every write with an errno word, as a full disk does.
 */
export class FakeDisk implements Files, AppendFiles {
  readonly files = new Map<string, string>();
  readonly modes = new Map<string, number>();
  #tearAt: number | undefined;
  #errno: string | undefined;
  readonly #unreadable = new Map<string, string>();
  /** Bytes written so far, appends and replacements alike. */
  writtenBytes = 0;

  /** Keeps only this many characters of the next append, which then never comes back. */
  tear(keptCharacters: number): void {
    this.#tearAt = keptCharacters;
  }

  /** Refuses writes from now on; undefined accepts them again. */
  fail(errno: string | undefined): void {
    this.#errno = errno;
  }

  /** Refuses to read a file until it is replaced, as a lost block does, or until it is allowed again. */
  refuseReading(path: string, errno: string): void {
    this.#unreadable.set(path, errno);
  }

  allowReading(path: string): void {
    this.#unreadable.delete(path);
  }

  async read(path: string, maxBytes = 1_048_576): Promise<string | undefined> {
    await Promise.resolve();
    const errno = this.#unreadable.get(path);
    if (errno !== undefined) {
      const code = errno === 'TOO_LARGE' ? errno : 'FILE_FAILED';
      throw new AgentError(code, `Cannot read "${path}": ${errno}`);
    }
    const text = this.files.get(path);
    if (text !== undefined && Buffer.byteLength(text) > maxBytes)
      throw new AgentError('TOO_LARGE', `"${path}" has more than ${maxBytes} bytes`);
    return text;
  }

  async replace(path: string, text: string, options: ReplaceOptions = {}): Promise<void> {
    this.#refuse(path);
    this.writtenBytes += text.length;
    this.#unreadable.delete(path);
    this.files.set(path, text);
    this.modes.set(path, options.mode ?? 0o644);
    await Promise.resolve();
  }

  async append(path: string, text: string): Promise<void> {
    this.#refuse(path);
    const before = this.files.get(path) ?? '';
    if (this.#tearAt !== undefined) {
      this.files.set(path, before + text.slice(0, this.#tearAt));
      this.#tearAt = undefined;
      await new Promise(() => undefined);
    }
    this.writtenBytes += text.length;
    this.files.set(path, before + text);
  }

  async copy(from: string, to: string, mode: number): Promise<void> {
    const text = await this.read(from);
    if (text === undefined) throw new AgentError('FILE_FAILED', `Cannot copy "${to}": ENOENT`);
    await this.replace(to, text, { mode });
  }

  async move(from: string, to: string): Promise<void> {
    this.#refuse(from);
    const text = this.files.get(from);
    if (text !== undefined) this.files.set(to, text);
    this.files.delete(from);
    await Promise.resolve();
  }

  async setAside(path: string): Promise<string | undefined> {
    const text = this.files.get(path);
    if (text === undefined) return undefined;
    this.files.delete(path);
    this.files.set(`${path}.broken-1`, text);
    const errno = this.#unreadable.get(path);
    if (errno !== undefined) this.#unreadable.set(`${path}.broken-1`, errno);
    this.#unreadable.delete(path);
    return `${path}.broken-1`;
  }

  async makeDirectory(): Promise<void> {
    await Promise.resolve();
  }

  async remove(path: string): Promise<void> {
    if (this.#errno !== 'ENOSPC') this.#refuse(path);
    this.files.delete(path);
    await Promise.resolve();
  }

  list(path: string): Promise<readonly string[]> {
    const names = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    const first = names.map((name) => name.slice(path.length + 1).split('/')[0] ?? '');
    return Promise.resolve([...new Set(first)].sort());
  }

  #refuse(path: string): void {
    if (this.#errno !== undefined) {
      throw new AgentError('FILE_FAILED', `Cannot write "${path}": ${this.#errno}`);
    }
  }
}
