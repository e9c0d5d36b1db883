import { createHash } from 'node:crypto';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { Files } from '../../agent/core/files.ts';
import type { PartDisk } from '../../agent/core/part-disk.ts';

type Node =
  | { readonly kind: 'file'; readonly text: string }
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string };

/** The power has gone: nothing that was asked for afterwards happens. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/**
 * A disk in memory on which the power can go before any step. What the system shows (`live`) and what a power cut leaves
 * (`durable`) are two trees; a real disk may have written more than it had to, so either can be found afterwards.
 */
export class FakePartDisk implements PartDisk, Files {
  readonly live: Map<string, Node>;
  readonly durable: Map<string, Node>;
  free = 1_000_000_000;
  /** Steps until the power goes. */
  stepsLeft = Number.POSITIVE_INFINITY;
  steps = 0;

  constructor(content: ReadonlyMap<string, Node> = new Map([['/', { kind: 'folder' }]])) {
    this.live = new Map(content);
    this.durable = new Map(content);
  }

  /** The disk after the next boot: all that was shown, or only what had to be written. */
  afterCut(found: 'live' | 'durable'): FakePartDisk {
    return new FakePartDisk(this[found]);
  }

  /** Text of a file, links followed. */
  text(path: string): string | undefined {
    const node = this.live.get(this.resolve(path));
    return node?.kind === 'file' ? node.text : undefined;
  }

  /** A path without links on the way. */
  resolve(path: string): string {
    const parts = path.split('/').slice(1);
    let at = '';
    for (const part of parts) {
      const node = this.live.get(`${at}/${part}`);
      at = node?.kind === 'link' ? `${at}/${node.target}` : `${at}/${part}`;
    }
    return at;
  }

  /** Writes a file that nobody has asked to be durable yet. */
  write(path: string, text: string): void {
    this.#step();
    this.live.set(path, { kind: 'file', text });
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  async makeFolder(path: string): Promise<void> {
    this.#step();
    for (let at = path; at.length > 1; at = parent(at)) {
      this.live.set(at, { kind: 'folder' });
      this.durable.set(at, { kind: 'folder' });
    }
  }

  async removeTree(path: string): Promise<void> {
    for (const inner of below(this.live, path).reverse()) {
      this.#step();
      this.live.delete(inner);
    }
    this.#step();
    for (const inner of below(this.durable, path)) this.durable.delete(inner);
  }

  async syncFolder(path: string): Promise<void> {
    for (const inner of below(this.live, path)) {
      this.#step();
      this.durable.set(inner, this.live.get(inner) as Node);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    if (this.live.has(to)) throw new AgentError('FILE_FAILED', `Cannot rename "${from}": ENOTEMPTY`);
    this.#step();
    move(this.live, from, to);
    this.#step();
    move(this.durable, from, to);
  }

  async pointLink(path: string, target: string): Promise<void> {
    this.#put(path, { kind: 'link', target });
  }

  async linkTarget(path: string): Promise<string | undefined> {
    const node = this.live.get(path);
    return node?.kind === 'link' ? node.target : undefined;
  }

  async shareFile(from: string, to: string): Promise<void> {
    this.write(to, this.text(from) ?? '');
  }

  async sizeOf(path: string): Promise<number | undefined> {
    return this.text(path)?.length;
  }

  async sumOf(path: string): Promise<string> {
    return createHash('sha256')
      .update(this.text(path) ?? '')
      .digest('hex');
  }

  async read(path: string): Promise<string | undefined> {
    return this.text(path);
  }

  async replace(path: string, text: string): Promise<void> {
    this.#put(path, { kind: 'file', text });
  }

  async copy(from: string, to: string): Promise<void> {
    await this.replace(to, this.text(from) ?? '');
  }

  async move(from: string, to: string): Promise<void> {
    if (!this.live.has(from)) return;
    this.#step();
    move(this.live, from, to);
    this.#step();
    move(this.durable, from, to);
  }

  async setAside(path: string): Promise<string | undefined> {
    if (!this.live.has(path)) return undefined;
    await this.rename(path, `${path}.broken-1`);
    return `${path}.broken-1`;
  }

  async makeDirectory(path: string): Promise<void> {
    await this.makeFolder(path);
  }

  async remove(path: string): Promise<void> {
    await this.removeTree(path);
  }

  async list(path: string): Promise<readonly string[]> {
    const names = below(this.live, path).map((inner) => inner.slice(path.length + 1));
    return names.filter((name) => name !== '' && !name.includes('/'));
  }

  /** A new file or link appears beside, then takes the name; a power cut in between leaves the temporary one. */
  #put(path: string, node: Node): void {
    this.#step();
    this.live.set(`${path}.new`, node);
    this.durable.set(`${path}.new`, node);
    this.#step();
    move(this.live, `${path}.new`, path);
    this.#step();
    move(this.durable, `${path}.new`, path);
  }

  #step(): void {
    if (this.stepsLeft <= 0) throw new PowerCut('The power has gone');
    this.stepsLeft -= 1;
    this.steps += 1;
  }
}

function below(tree: ReadonlyMap<string, Node>, path: string): string[] {
  return [...tree.keys()].filter((name) => name === path || name.startsWith(`${path}/`)).sort();
}

function move(tree: Map<string, Node>, from: string, to: string): void {
  for (const name of below(tree, from)) {
    tree.set(`${to}${name.slice(from.length)}`, tree.get(name) as Node);
    tree.delete(name);
  }
}

function parent(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
