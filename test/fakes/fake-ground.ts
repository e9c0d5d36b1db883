import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import type { GroundExecutor, GroundNews, GroundObserver, GroundWatch } from '../../agent/core/ground.ts';
import type {
  Controller,
  GroundFacts,
  GroundQuestions,
  IpRule,
  Membership,
  ObservedMachine,
} from '../../agent/core/ground-observed.ts';
import type { GroundStep, GroundStepKind, StepOf } from '../../agent/core/ground-step.ts';
import { FakeTree } from './fake-tree.ts';

type Network = Pick<ObservedMachine, 'routes' | 'subnets' | 'links' | 'uplink'>;
const mountFlags = new Set(['nosuid', 'nodev', 'noexec', 'ro', 'rw', 'none']);

/** A machine that is only a memory: it changes with every step and refuses what the kernel refuses. */
export class FakeGround implements GroundObserver, GroundExecutor {
  readonly tree = new FakeTree();
  readonly done: GroundStep[] = [];
  readonly sysctls = new Map<string, string>();
  controllers: Controller[] = [];
  memberships: Membership[] = [];
  /** Controllers that groups of cgroup2 use: the kernel gives them to no v1 hierarchy. */
  unifiedControllers: readonly string[] = [];
  rules: IpRule[] = [];
  network: Network = { routes: [], subnets: [], links: [] };
  namespace = { own: 'mnt:[2]', init: 'mnt:[1]' };
  networkProblem: string | undefined;
  hasIpv6Way = false;
  modules: readonly string[] = [];
  loadableModules: readonly string[] = [];
  wallMs = Date.UTC(2025, 0, 1);
  openFiles = { soft: 32_768, hard: 32_768 };
  nameServers: readonly string[] | undefined;
  selinux: ObservedMachine['selinux'] | undefined;
  /** Called before each step; throws to refuse it. */
  onStep: (step: GroundStep) => void = () => undefined;
  #lastHierarchy = 40;
  /** Active ones; a hierarchy outlives its mounts, e.g. by those of another namespace. */
  readonly #hierarchies: ReturnType<FakeTree['makeFilesystem']>[] = [];
  #listeners = new Set<(news: GroundNews) => void>();
  isWatchLive = true;

  /** Tells the watchers what changed. */
  tell(news: GroundNews = 'network'): void {
    for (const listener of this.#listeners) listener(news);
  }

  forget(): void {
    // It remembers nothing.
  }

  fingerprint(): string {
    return `${this.tree.toString()}\n${JSON.stringify([this.rules, this.network, [...this.sysctls], this.memberships])}`;
  }

  watch(onNews: (news: GroundNews) => void): GroundWatch {
    this.#listeners.add(onNews);
    return { isLive: () => this.isWatchLive, close: () => this.#listeners.delete(onNews) };
  }

  async observe(): Promise<ObservedMachine> {
    return {
      bootId: '11111111-2222-3333-4444-555555555555',
      release: '6.6.22',
      wallMs: this.wallMs,
      namespace: this.namespace,
      mounts: this.tree.mountinfo(),
      filesystems: ['tmpfs', 'cgroup', 'cgroup2', 'overlay'],
      controllers: this.controllers,
      memberships: this.memberships,
      rules: this.networkProblem === undefined ? this.rules : [],
      ...this.network,
      ...(this.networkProblem === undefined ? {} : { networkProblem: this.networkProblem }),
      hasIpv6Way: this.hasIpv6Way,
      modules: this.modules,
      loadableModules: this.loadableModules,
      openFiles: this.openFiles,
      ...(this.nameServers === undefined ? {} : { nameServers: this.nameServers }),
      ...(this.selinux === undefined ? {} : { selinux: this.selinux }),
    };
  }

  facts(questions: GroundQuestions): GroundFacts {
    const paths = [...questions.paths, ...questions.texts, ...questions.lists].map((path) => {
      const text = questions.texts.includes(path) ? this.tree.text(path) : undefined;
      const names = questions.lists.includes(path) ? { names: this.tree.names(path) } : {};
      return [path, { ...this.tree.fact(path), ...(text === undefined ? {} : { text }), ...names }] as const;
    });
    const sysctls = questions.sysctls.map((name) => [name, this.sysctls.get(name)] as const);
    return { paths: Object.fromEntries(paths), sysctls: Object.fromEntries(sysctls) };
  }

  async execute(step: GroundStep): Promise<void> {
    try {
      this.onStep(step);
      (this.#acts[step.kind] as (step: GroundStep) => void)(step);
    } catch (error) {
      throw new AgentError('STEP_FAILED', `Cannot ${step.what}: ${messageOf(error)}`, { cause: error });
    }
    this.done.push(step);
  }

  readonly #acts: { readonly [K in GroundStepKind]: (step: StepOf<K>) => void } = {
    'make-directory': (step) => this.tree.makeDirectory(step.path, step.mode),
    'set-mode': (step) => this.tree.setMode(step.path, step.mode),
    'make-symlink': (step) => {
      const there = this.tree.fact(step.path);
      const isEmptyDirectory = there.kind === 'directory' && this.tree.names(step.path).length === 0;
      if (there.kind !== 'absent' && there.kind !== 'symlink' && !isEmptyDirectory) throw new Error('EEXIST');
      this.tree.write(step.path, { kind: 'symlink', mode: 0o777, target: step.target });
    },
    'write-file': (step) => {
      if (this.tree.fact(step.path).kind === 'directory') throw new Error('EISDIR');
      if (this.tree.fact(step.path).kind === 'symlink') throw new Error('ELOOP');
      this.tree.write(step.path, { kind: 'file', mode: step.mode, text: step.text });
    },
    mount: (step) => this.#mount(step),
    bind: (step) => this.tree.bind(step.source, step.target, step.isRecursive),
    'set-propagation': (step) => this.tree.propagate(step.target, step.propagation),
    'pivot-root': (step) => this.tree.pivot(step.newRoot, step.putOld),
    unmount: (step) => this.tree.unmount(step.target, step.isLazy),
    'write-sysctl': (step) => {
      if (!this.sysctls.has(step.name)) throw new Error('ENOENT');
      this.sysctls.set(step.name, step.value);
    },
    'join-cgroup': (step) => this.#join(step.path),
    'write-cgroup': (step) => this.#control(step.path, step.value),
    'set-clock': (step) => {
      this.wallMs = step.wallMs;
    },
    'load-module': (step) => {
      if (!this.loadableModules.includes(step.module)) throw new Error('ENOENT');
      this.modules = [...this.modules, step.module];
    },
    'add-rule': (step) => {
      this.rules.push({ priority: step.priority, text: `from all ${step.words.join(' ')}` });
    },
    'delete-rule': (step) => {
      const text = `from all ${step.words.join(' ')}`;
      const at = this.rules.findIndex(
        (rule) => rule.priority === step.priority && rule.text.replace(' [detached]', '') === text,
      );
      if (at === -1) throw new Error('ENOENT');
      this.rules.splice(at, 1);
    },
  };

  #mount(step: StepOf<'mount'>): void {
    const target = this.tree.find(step.target);
    if (target.node?.kind !== 'directory') throw new Error('ENOENT');
    const filesystem =
      step.fstype === 'cgroup'
        ? this.#hierarchy(step.options)
        : this.tree.makeFilesystem(step.fstype, step.source);
    if (step.fstype === 'cgroup2') {
      const names = this.controllers.filter((row) => row.hierarchy === 0).map((row) => row.name);
      const offered = [...names, 'io'].join(' ');
      filesystem.nodes.set('/cgroup.controllers', { kind: 'file', mode: 0o444, text: offered });
      filesystem.nodes.set('/cgroup.subtree_control', { kind: 'file', mode: 0o644, text: '' });
      filesystem.nodes.set('/cgroup.procs', { kind: 'file', mode: 0o644 });
    }
    this.tree.place(filesystem, target.path, ['rw', ...step.options.filter((word) => word.startsWith('no'))]);
  }

  /** A v1 hierarchy is found again only by exactly its set of controllers; anything else is EBUSY. */
  #hierarchy(options: readonly string[]): ReturnType<FakeTree['makeFilesystem']> {
    const names = options.filter((word) => !mountFlags.has(word)).sort();
    const same = this.#hierarchies.find(
      (filesystem) => [...filesystem.superOptions].sort().join() === ['rw', ...names].sort().join(),
    );
    if (same !== undefined) return same;
    const rows = this.controllers.filter((row) => names.includes(row.name));
    const isTaken = rows.some((row) => row.hierarchy !== 0 || this.unifiedControllers.includes(row.name));
    if (isTaken) throw new Error('EBUSY');
    if (rows.length !== names.filter((name) => !name.startsWith('name=')).length) throw new Error('EINVAL');
    return this.makeHierarchy(names);
  }

  /** Makes a hierarchy active, as if somebody had mounted it. */
  makeHierarchy(names: readonly string[], ownPath = '/'): ReturnType<FakeTree['makeFilesystem']> {
    this.#lastHierarchy += 1;
    const hierarchy = this.#lastHierarchy;
    this.controllers = this.controllers.map((row) =>
      names.includes(row.name) ? { ...row, hierarchy } : row,
    );
    this.memberships.push({ hierarchy, controllers: names, path: ownPath });
    const filesystem = this.tree.makeFilesystem('cgroup', 'cgroup', ['rw', ...names]);
    filesystem.nodes.set('/cgroup.procs', { kind: 'file', mode: 0o644 });
    this.#hierarchies.push(filesystem);
    return filesystem;
  }

  #join(path: string): void {
    const { mount, node } = this.tree.find(path);
    if (node === undefined) throw new Error('ENOENT');
    const names = mount.filesystem.superOptions;
    this.memberships = this.memberships.map((row) => {
      const isUnified = row.hierarchy === 0 && mount.filesystem.fstype === 'cgroup2';
      return isUnified || row.controllers.some((name) => names.includes(name)) ? { ...row, path: '/' } : row;
    });
  }

  #control(path: string, value: string): void {
    const text = this.tree.text(path);
    if (text === undefined) throw new Error('ENOENT');
    const isSubtree = path.endsWith('cgroup.subtree_control');
    if (isSubtree) {
      const offered = this.tree.text(path.replace('subtree_control', 'controllers')) ?? '';
      if (!offered.split(' ').includes(value.slice(1))) throw new Error('ENOENT');
    }
    const written = isSubtree ? `${text} ${value.slice(1)}`.trim() : value;
    this.tree.write(path, { kind: 'file', mode: 0o644, text: written });
  }
}
