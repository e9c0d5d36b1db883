interface StepBase {
  /** Stable name of the wanted thing, e.g. `mount:/run`: the same drift always gets the same id. */
  readonly id: string;
  /** The act in words, e.g. `mount tmpfs on /run`. */
  readonly what: string;
  /** A sentence: what breaks without it. */
  readonly why: string;
  /** Whether the units can do without it. A failed optional step is reported and does not hold up the others. */
  readonly isOptional?: boolean;
}

/** Kinds of propagation that mount(8) knows; `r` means with everything below. */
export type Propagation = 'unbindable' | 'rslave' | 'rshared' | 'rprivate';

/** One step of the ground work: plain data, one executor each. */
export type GroundStep = StepBase &
  (
    | { readonly kind: 'make-directory'; readonly path: string; readonly mode: number }
    | { readonly kind: 'set-mode'; readonly path: string; readonly mode: number }
    | { readonly kind: 'make-symlink'; readonly path: string; readonly target: string }
    /** Writes in place: the file may be the source of a bind, which a rename would cut off. */
    | { readonly kind: 'write-file'; readonly path: string; readonly text: string; readonly mode: number }
    | {
        readonly kind: 'mount';
        readonly fstype: string;
        readonly source: string;
        readonly target: string;
        readonly options: readonly string[];
      }
    | {
        readonly kind: 'bind';
        readonly source: string;
        readonly target: string;
        readonly isRecursive: boolean;
      }
    | { readonly kind: 'set-propagation'; readonly target: string; readonly propagation: Propagation }
    /** Moves root and working directory of every process of this mount namespace, the agent included. */
    | { readonly kind: 'pivot-root'; readonly newRoot: string; readonly putOld: string }
    | { readonly kind: 'unmount'; readonly target: string; readonly isLazy: boolean }
    | { readonly kind: 'write-sysctl'; readonly name: string; readonly value: string }
    /** Moves this process into the group whose `cgroup.procs` this is. */
    | { readonly kind: 'join-cgroup'; readonly path: string }
    /** Writes to a control file of a cgroup. */
    | { readonly kind: 'write-cgroup'; readonly path: string; readonly value: string }
    /** Sets the wall clock. */
    | { readonly kind: 'set-clock'; readonly wallMs: number }
    | { readonly kind: 'load-module'; readonly module: string }
    | { readonly kind: 'add-rule'; readonly priority: number; readonly words: readonly string[] }
    | { readonly kind: 'delete-rule'; readonly priority: number; readonly words: readonly string[] }
  );

export type GroundStepKind = GroundStep['kind'];

/** A step of one kind. */
export type StepOf<K extends GroundStepKind> = Extract<GroundStep, { kind: K }>;
