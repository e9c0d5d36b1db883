import type { Mount, PathFact } from '../../agent/core/ground-observed.ts';

/** One file, directory or link of a fake filesystem. */
export interface FakeNode {
  readonly kind: 'directory' | 'file' | 'symlink';
  readonly mode: number;
  readonly text?: string;
  readonly target?: string;
}

/** A fake filesystem; paths begin at its own root. */
export interface FakeFilesystem {
  readonly device: string;
  readonly fstype: string;
  readonly source: string;
  readonly superOptions: readonly string[];
  readonly nodes: Map<string, FakeNode>;
}

/** A mount of it. */
export interface FakeMount {
  readonly id: number;
  readonly filesystem: FakeFilesystem;
  readonly root: string;
  target: string;
  readonly options: readonly string[];
  isShared: boolean;
  isSlave: boolean;
  isUnbindable: boolean;
}

interface Found {
  /** Path without links, as mountinfo would show it. */
  readonly path: string;
  readonly mount: FakeMount;
  readonly inner: string;
  readonly node: FakeNode | undefined;
}

/** Filesystems and mounts of one mount namespace, with the refusals of the kernel as errno words. */
export class FakeTree {
  mounts: FakeMount[] = [];
  #lastId = 20;
  #lastDevice = 30;

  makeFilesystem(fstype: string, source: string, superOptions: readonly string[] = ['rw']): FakeFilesystem {
    this.#lastDevice += 1;
    const nodes = new Map<string, FakeNode>([['/', { kind: 'directory', mode: 0o755 }]]);
    return { device: `0:${this.#lastDevice}`, fstype, source, superOptions, nodes };
  }

  /** Mounts without asking whether the target exists: for setting a world up. */
  place(
    filesystem: FakeFilesystem,
    target: string,
    options: readonly string[] = ['rw'],
    root = '/',
  ): FakeMount {
    this.#lastId += 1;
    const over = this.#covering(target);
    const isShared = over?.isShared ?? false;
    const base = { id: this.#lastId, filesystem, root, target, options };
    const mount = { ...base, isShared, isSlave: false, isUnbindable: false };
    this.mounts.push(mount);
    return mount;
  }

  find(path: string, isFollowing = true, depth = 0): Found {
    if (depth > 20) throw new Error('ELOOP');
    let real = '/';
    const words = path.split('/').filter((word) => word !== '');
    for (const [index, word] of words.entries()) {
      const next = real === '/' ? `/${word}` : `${real}/${word}`;
      const found = this.#at(next);
      const isLast = index === words.length - 1;
      if (found.node?.kind === 'symlink' && (!isLast || isFollowing)) {
        const target = found.node.target ?? '';
        const base = target.startsWith('/') ? target : `${real}/${target}`;
        return this.find([base, ...words.slice(index + 1)].join('/'), isFollowing, depth + 1);
      }
      real = next;
    }
    return this.#at(real);
  }

  write(path: string, node: FakeNode): void {
    const found = this.find(path, false);
    const parent = this.find(path.slice(0, path.lastIndexOf('/')) || '/');
    if (parent.node?.kind !== 'directory') throw new Error('ENOENT');
    if (isReadOnly(found.mount)) throw new Error('EROFS');
    found.mount.filesystem.nodes.set(found.inner, node);
  }

  makeDirectory(path: string, mode: number): void {
    const words = path.split('/').filter((word) => word !== '');
    for (const [index] of words.entries()) {
      const part = `/${words.slice(0, index + 1).join('/')}`;
      const { node } = this.find(part);
      if (node === undefined) this.write(part, { kind: 'directory', mode: 0o755 });
      else if (node.kind !== 'directory') throw new Error('ENOTDIR');
    }
    this.setMode(path, mode);
  }

  setMode(path: string, mode: number): void {
    const { node, mount, inner } = this.find(path);
    if (node === undefined) throw new Error('ENOENT');
    if (node.mode === mode) return;
    if (isReadOnly(mount)) throw new Error('EROFS');
    mount.filesystem.nodes.set(inner, { ...node, mode });
  }

  bind(source: string, target: string, isRecursive: boolean): void {
    const from = this.find(source);
    const to = this.find(target);
    if (from.node === undefined || to.node === undefined) throw new Error('ENOENT');
    if ((from.node.kind === 'directory') !== (to.node.kind === 'directory')) throw new Error('ENOTDIR');
    if (from.mount.isUnbindable) throw new Error('EINVAL');
    const below = this.mounts.filter(
      (mount) => mount.target.startsWith(`${from.path}/`) && !mount.isUnbindable,
    );
    this.place(from.mount.filesystem, to.path, from.mount.options, from.inner);
    if (!isRecursive) return;
    for (const mount of below) {
      const moved = `${to.path}${mount.target.slice(from.path.length)}`;
      this.place(mount.filesystem, moved, mount.options, mount.root);
    }
  }

  unmount(target: string, isLazy: boolean): void {
    const mount = this.mounts.findLast((one) => one.target === target);
    if (mount === undefined) throw new Error('EINVAL');
    const isBusy = this.mounts.some((one) => one.target.startsWith(`${target}/`));
    if (isBusy && !isLazy) throw new Error('EBUSY');
    this.mounts = this.mounts.filter((one) => one !== mount && !one.target.startsWith(`${target}/`));
  }

  propagate(target: string, kind: 'unbindable' | 'rslave' | 'rshared' | 'rprivate'): void {
    const top = this.mounts.findLast((one) => one.target === target);
    if (top === undefined) throw new Error('EINVAL');
    const below = target === '/' ? '/' : `${target}/`;
    const all =
      kind === 'unbindable'
        ? [top]
        : this.mounts.filter((one) => one === top || one.target.startsWith(below));
    for (const mount of all) {
      mount.isUnbindable = kind === 'unbindable';
      mount.isSlave = kind === 'rslave' || (kind === 'rshared' && mount.isSlave);
      mount.isShared = kind === 'rshared';
    }
  }

  /** The refusals are those of pivot_root(2). */
  pivot(newRoot: string, putOld: string): void {
    const top = this.mounts.findLast((one) => one.target === newRoot);
    const old = this.mounts.findLast((one) => one.target === '/');
    if (top === undefined || !putOld.startsWith(`${newRoot}/`)) throw new Error('EINVAL');
    if (this.find(putOld).node?.kind !== 'directory') throw new Error('ENOTDIR');
    if (old?.isShared === true || this.#covering(newRoot, top)?.isShared === true || top.isShared)
      throw new Error('EINVAL');
    this.#move(newRoot, putOld.slice(newRoot.length));
  }

  #move(newRoot: string, oldAt: string): void {
    for (const mount of this.mounts) {
      if (mount.target === newRoot) mount.target = '/';
      else if (mount.target.startsWith(`${newRoot}/`)) mount.target = mount.target.slice(newRoot.length);
      else mount.target = mount.target === '/' ? oldAt : `${oldAt}${mount.target}`;
    }
  }

  fact(path: string): PathFact {
    const { node } = this.#tryFind(path, false);
    if (node === undefined) return { kind: 'absent' };
    const { kind, mode, target } = node;
    if (kind !== 'symlink') return { kind, mode };
    const behind = this.#tryFind(path, true).node?.kind;
    const leads = behind === undefined || behind === 'symlink' ? {} : { behind };
    return { kind, mode, ...(target === undefined ? {} : { target }), ...leads };
  }

  text(path: string): string | undefined {
    const { node } = this.#tryFind(path, true);
    return node?.kind === 'file' ? (node.text ?? '') : undefined;
  }

  names(path: string): readonly string[] {
    const { node, mount, inner } = this.#tryFind(path, true);
    if (node?.kind !== 'directory' || mount === undefined) return [];
    const prefix = inner === '/' ? '/' : `${inner}/`;
    const keys = [...mount.filesystem.nodes.keys()].filter((key) => key !== '/' && key.startsWith(prefix));
    return keys
      .map((key) => key.slice(prefix.length))
      .filter((name) => !name.includes('/'))
      .sort();
  }

  mountinfo(): readonly Mount[] {
    return this.mounts.map(({ filesystem, ...mount }) => ({
      ...mount,
      parent: 1,
      device: filesystem.device,
      fstype: filesystem.fstype,
      source: filesystem.source,
      superOptions: filesystem.superOptions,
    }));
  }

  toString(): string {
    const line = ({ target, filesystem, root, isShared }: FakeMount): string =>
      `${target} ${filesystem.fstype} ${filesystem.source}${root === '/' ? '' : `[${root}]`}${isShared ? ' shared' : ''}`;
    return this.mounts.map(line).join('\n');
  }

  #tryFind(path: string, isFollowing: boolean): Partial<Found> {
    try {
      return this.find(path, isFollowing);
    } catch {
      return {};
    }
  }

  #at(path: string): Found {
    const mount = this.#covering(path);
    if (mount === undefined) throw new Error('ENOENT');
    const rest = mount.target === '/' ? path : path.slice(mount.target.length);
    const inner = `${mount.root === '/' ? '' : mount.root}${rest === '/' ? '' : rest}` || '/';
    return { path, mount, inner, node: mount.filesystem.nodes.get(inner) };
  }

  #covering(path: string, except?: FakeMount): FakeMount | undefined {
    let best: FakeMount | undefined;
    for (const mount of this.mounts) {
      const isOver = mount.target === '/' || path === mount.target || path.startsWith(`${mount.target}/`);
      if (isOver && mount !== except && mount.target.length >= (best?.target.length ?? 0)) best = mount;
    }
    return best;
  }
}

function isReadOnly(mount: FakeMount): boolean {
  return mount.options.includes('ro') || mount.filesystem.superOptions.includes('ro');
}
