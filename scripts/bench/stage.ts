import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { end } from './launch.ts';
import type { Running, Subject } from './subjects/subject.ts';
import { UnitSet } from './unit-set.ts';

/** A supervisor at work with the units that it was given. */
export interface Contender {
  readonly name: string;
  readonly units: UnitSet;
  readonly running: Running;
}

/** Where a benchmark puts its contenders; whatever it leaves there is stopped when it is over, however it ended. */
export class Stage {
  readonly #root: string;
  readonly #contenders = new Set<Contender>();
  readonly #unitSets = new Set<UnitSet>();
  #folders = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** A new empty folder; its path is short because a Unix socket's may have 107 bytes only. */
  folder(): string {
    const dir = path.join(this.#root, String(this.#folders++));
    mkdirSync(dir);
    return dir;
  }

  /** Units in a new folder; with `floodFile` they print it when told to. */
  units(names: readonly string[], floodFile?: string): UnitSet {
    const units = new UnitSet(this.folder(), names, floodFile);
    this.#unitSets.add(units);
    return units;
  }

  /** Starts a supervisor and waits until every unit has announced itself. */
  async put(subject: Subject, units: UnitSet): Promise<Contender> {
    const contender = this.adopt({
      name: subject.name,
      units,
      running: await subject.start(units.dir, units),
    });
    await units.allStarted();
    return contender;
  }

  /** Answers for a supervisor that the benchmark started itself. */
  adopt(contender: Contender): Contender {
    this.#contenders.add(contender);
    return contender;
  }

  /** Ends one supervisor with its units. */
  async remove(contender: Contender): Promise<void> {
    this.#contenders.delete(contender);
    await contender.running.stop();
    // Some leave their units running on purpose.
    for (const pid of contender.units.pids()) await end(pid, 'SIGKILL');
    contender.units.close();
    this.#unitSets.delete(contender.units);
  }

  /** Ends everything. */
  async clear(): Promise<void> {
    for (const contender of this.#contenders) await this.remove(contender);
    for (const units of this.#unitSets) units.close();
    this.#unitSets.clear();
  }
}
