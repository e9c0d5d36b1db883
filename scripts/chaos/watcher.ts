import { isEdgecore } from './board.ts';
import { edgecores, mainsOf } from './faults.ts';
import { type Proc, processes } from './proc.ts';

const lookMs = 250;
/** Looks in a row at which there were two: one look may catch a start in the middle. */
const looksThatCount = 3;

/** Looks all the time whether anything runs twice. */
export class TwinWatch {
  readonly violations: string[] = [];
  looks = 0;
  readonly #streaks = new Map<string, { readonly pids: string; readonly count: number }>();
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.looks += 1;
    this.#judge('dockerd', mainsOf('dockerd'));
    this.#judge('containerd', mainsOf('containerd'));
    this.#judge('edgecore', edgecores());
  }

  #judge(name: string, found: readonly Proc[]): void {
    const pids = found.map(({ pid }) => pid).join(' ');
    const before = this.#streaks.get(name);
    const count = found.length > 1 ? (before?.pids === pids ? before.count + 1 : 1) : 0;
    this.#streaks.set(name, { pids, count });
    if (count === looksThatCount)
      this.violations.push(`${found.length} of ${name} at the same time: ${pids}`);
  }
}

/** What belongs to the board: everything else in the pid namespace is an orphan. */
export interface Known {
  /** The chaos program itself, the stand-in for the cloud and the agent, with all that they have started. */
  readonly roots: readonly number[];
  /** Ids of all containers that dockerd knows. */
  readonly containers: readonly string[];
}

/** Processes that belong to nobody any more. */
export function orphans(known: Known): readonly string[] {
  const all = processes();
  const byPid = new Map(all.map((one) => [one.pid, one]));
  const isKnown = (one: Proc): boolean => {
    if (one.pid === 1 || known.roots.includes(one.pid)) return true;
    // Units outlive the agent that has started them.
    if (one.name === 'dockerd' || isEdgecore(one.argv) || isOwnContainerd(one)) return true;
    if (one.argv[0]?.endsWith('containerd-shim-runc-v2') === true) return isContainer(one, known.containers);
    const parent = one.parent === 1 ? undefined : byPid.get(one.parent);
    return parent !== undefined && isKnown(parent);
  };
  return all
    .filter((one) => !isKnown(one))
    .map(({ pid, name, argv }) => `${name} ${pid} (${argv.join(' ').slice(0, 120)})`);
}

function isContainer({ argv }: Proc, containers: readonly string[]): boolean {
  return containers.includes(argv[argv.indexOf('-id') + 1] ?? '');
}

function isOwnContainerd({ name, argv }: Proc): boolean {
  return name === 'containerd' && argv.some((argument) => argument.endsWith('/state/containerd/config.toml'));
}
