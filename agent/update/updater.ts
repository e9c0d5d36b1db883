import type { PartsDocument, UpdateDocument } from '../api/wire.ts';
import { AgentError, messageOf } from '../core/agent-error.ts';
import { Latch } from '../core/latch.ts';
import { PartOpener } from './part-opener.ts';
import { imageSlot, type PartRecord, type Slot, untouched } from './part-record.ts';
import { PartStore } from './part-store.ts';
import { isPartName, type PartName, partKinds, requireLauncher } from './part-table.ts';
import { PartTrial } from './part-trial.ts';
import { draftView, partView, slotView, type ViewParts } from './part-view.ts';
import { Story } from './story.ts';
import { type GoodDraft, takePart } from './take-part.ts';
import { agentGoal, unitGoal } from './trial.ts';
import { unitOf } from './unit-swap.ts';
import type { Place, UpdaterOptions, UpdaterPorts } from './updater-ports.ts';

/** What is to be put in. */
export interface UpdateOrder {
  /** Absolute path on the board. */
  readonly file: string;
  readonly sha256?: string | undefined;
  readonly version?: string | undefined;
  readonly isDryRun: boolean;
}

/** Milliseconds between the answer and the end of an agent that makes room for another one. */
const farewellMs = 500;

/**
 * Puts new parts in while the board runs: verified first, beside the old one, switched in one step, and kept only where
 * the unit (or the agent) proves itself. Whatever a power cut leaves, `open` finds one of the two whole and in use.
 */
export class Updater {
  readonly #options: UpdaterOptions;
  readonly #ports: UpdaterPorts;
  readonly #places: ReadonlyMap<PartName, Place>;
  readonly #story: Story;
  readonly #opener: PartOpener;
  readonly #over = new AbortController();
  /** Until then the records at hand are not those on disk, and nobody is told of them: the API answers before this is done. */
  readonly #opened = new Latch();
  /** Until when changes are watched; undefined before `start`. */
  #until: AbortSignal | undefined;
  #isTaking = false;

  constructor(options: UpdaterOptions, ports: UpdaterPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#story = new Story(ports.board, ports.log);
    this.#opener = new PartOpener(options, ports, this.#story, (place) => {
      this.#show();
      this.#goOn(place);
    });
    const names = Object.keys(partKinds).filter(isPartName);
    this.#places = new Map(
      names.map((name) => {
        const store = new PartStore(options.home, name, ports);
        const closed = { record: untouched, isOpen: false, opening: undefined, trial: undefined };
        return [name, { kind: partKinds[name], store, ...closed }];
      }),
    );
  }

  /** Puts right what an earlier life left, before any unit is started. Never rejects: a disk in trouble costs updates, not the board. */
  async open(): Promise<void> {
    for (const place of this.#places.values()) {
      await this.#opener.open(place).catch((error: unknown) => {
        this.#ports.log.error('part.unreadable', { part: place.kind.name, message: messageOf(error) });
      });
    }
    this.#show();
    this.#opened.open();
  }

  /** Goes on with what was under way; returns at once. */
  start(signal: AbortSignal): void {
    this.#until = AbortSignal.any([signal, this.#over.signal]);
    for (const place of this.#places.values()) {
      if (place.isOpen) this.#goOn(place);
      else this.#opener.insist(place, this.#until).catch(() => undefined);
    }
  }

  /** Ends the watching; a trial goes on with the next agent. */
  async stop(): Promise<void> {
    this.#over.abort(new DOMException('The agent stops', 'AbortError'));
    for (const { trial } of this.#places.values()) await trial?.ended;
  }

  /** Every part: what is in use, what it can go back to, what was taken back. */
  async list(): Promise<PartsDocument> {
    await this.#opened.isOpen;
    const places = [...this.#places.values()];
    return { parts: await Promise.all(places.map((place) => partView(place.record, this.#viewOf(place)))) };
  }

  /** Takes a file, verifies it, switches to it and answers when it has proved itself or was taken back. */
  async update(name: string, order: UpdateOrder, signal: AbortSignal): Promise<UpdateDocument> {
    const place = await this.#place(name);
    const from = place.record.current;
    const draft = await this.#alone(place, async () => {
      const taken = await this.#take(place, order, signal);
      if (order.isDryRun) await place.store.dropDraft();
      else await this.#putIn(place, taken);
      return taken;
    });
    const { notes, slot } = draft;
    if (!order.isDryRun) return this.#prove(place, { from, notes });
    const told = { reason: 'Verified', message: `${slot} is good; nothing was changed` };
    const to = draftView(draft, this.#viewOf(place));
    return { ...(await this.#document(place, { from, notes }, told)), to, dryRun: true, ok: true };
  }

  /** Goes back to the former one, on the same terms; a change that is still on trial is taken back. */
  async rollback(name: string): Promise<UpdateDocument> {
    const place = await this.#place(name);
    const from = place.record.current;
    if (place.trial !== undefined && place.record.phase !== 'reverting') {
      const { reason, message } = await place.trial.takeBack('It was taken back by hand');
      const ok = reason === 'ByHand';
      return { ...(await this.#document(place, { from, notes: [] }, { reason, message })), ok };
    }
    await this.#alone(place, async () => this.#switchTo(place, await this.#formerOf(place)));
    return this.#prove(place, { from, notes: [] });
  }

  #goOn(place: Place): void {
    if (this.#until !== undefined && place.record.phase !== 'settled') this.#try(place, this.#until);
  }

  /** What could not be put in is taken away again: the disk may be full because of it. */
  async #putIn(place: Place, { slot, facts }: GoodDraft): Promise<void> {
    try {
      await place.store.keepDraft(slot, facts);
      await this.#switchTo(place, slot);
    } catch (error) {
      await this.#opener.tidy(place);
      throw error;
    }
  }

  async #take(place: Place, order: UpdateOrder, signal: AbortSignal): Promise<GoodDraft> {
    const { kind, store, record } = place;
    requireLauncher(kind, this.#options.launched);
    await store.collect(record);
    const job = { kind, store, record, nowMs: this.#ports.clock.wallMs(), isDryRun: order.isDryRun };
    const draft = await takePart(order, job, this.#ports, signal);
    if (draft.slot !== record.current) return draft;
    await store.dropDraft();
    throw refused(kind.name, `${draft.slot} is in use already; name another file`);
  }

  async #formerOf({ kind, store, record }: Place): Promise<Slot> {
    const { current, former } = record;
    if (former !== undefined && (await store.isWhole(former))) return former;
    // It was given up for room, or there never was one.
    if (current !== imageSlot) return imageSlot;
    throw refused(kind.name, `there is no former one; put one in with \`agentctl update ${kind.name}\``);
  }

  async #switchTo(place: Place, slot: Slot): Promise<void> {
    const { kind, store, record } = place;
    requireLauncher(kind, this.#options.launched);
    const { clock, board, units } = this.#ports;
    if (kind.name === 'agent') await store.forgetStarts();
    await this.#save(place, {
      ...record,
      current: slot,
      former: record.current,
      older: record.former === slot ? undefined : record.former,
      phase: 'switching',
      boot: this.#options.bootId,
      boots: 1,
      sinceMs: clock.wallMs(),
      goal: kind.name === 'agent' ? agentGoal(board.conditions()) : unitGoal(unitOf(units(), kind.name)),
      base: await this.#opener.baseOf(kind),
    });
    this.#story.switched(kind.name, record.current, slot);
  }

  /** Lets the part prove itself; an agent does so in its next life. */
  async #prove(
    place: Place,
    facts: { readonly from: Slot; readonly notes: readonly string[] },
  ): Promise<UpdateDocument> {
    if (place.kind.name !== 'agent') {
      const { isGood, reason, message } = await this.#try(place, this.#over.signal).answer;
      return { ...(await this.#document(place, facts, { reason, message })), ok: isGood };
    }
    this.#ports.clock.after(farewellMs, () => this.#options.restartAgent());
    const message = 'The agent starts anew and has to prove itself';
    return { ...(await this.#document(place, facts, { reason: 'Restarting', message })), ok: true };
  }

  #try(place: Place, signal: AbortSignal): PartTrial {
    const { kind } = place;
    const trial = new PartTrial(kind.name, this.#options.limits[kind.name], this.#ports, {
      record: () => place.record,
      save: (record) => this.#save(place, record),
      restartAgent: this.#options.restartAgent,
      story: this.#story,
    });
    place.trial = trial;
    void trial.run(signal).then(() => {
      place.trial = undefined;
    });
    return trial;
  }

  async #save(place: Place, record: PartRecord): Promise<void> {
    try {
      await place.store.write(record);
    } catch (error) {
      // Written or half done, it would count at the next start, long after whoever asked was told that it failed.
      await place.store.write(place.record).catch(() => undefined);
      throw error;
    }
    place.record = record;
    if (record.phase === 'settled') await this.#opener.tidy(place);
    this.#show();
  }

  #show(): void {
    this.#story.show([...this.#places.values()].map(({ kind, record }) => ({ part: kind.name, record })));
  }

  async #place(name: string): Promise<Place> {
    await this.#opened.isOpen;
    const place = isPartName(name) ? this.#places.get(name) : undefined;
    if (place !== undefined) {
      // What could not be read at the start is not what is at hand, and must not be written over.
      if (!place.isOpen) await this.#opener.openLate(place);
      return place;
    }
    throw new AgentError(
      'NOT_FOUND',
      `Cannot find part "${name}": there are ${[...this.#places.keys()].join(', ')}`,
    );
  }

  #requireSettled({ kind, record, trial }: Place): void {
    if (record.phase === 'settled' && trial === undefined) return;
    throw new AgentError(
      'BUSY',
      `Cannot change ${kind.name} now: ${record.current} is on trial; wait for it, or take it back with \`agentctl rollback ${kind.name}\``,
    );
  }

  /** One change at a time until its record is written: the room on the disk is looked at once. */
  async #alone<T>(place: Place, act: () => Promise<T>): Promise<T> {
    this.#requireSettled(place);
    if (this.#isTaking) {
      throw new AgentError('BUSY', 'Cannot take a file now: another one is being taken; wait for it');
    }
    this.#isTaking = true;
    try {
      return await act();
    } finally {
      this.#isTaking = false;
    }
  }

  #viewOf({ kind, store }: Place): ViewParts {
    return { kind, store, imagePath: this.#options.imagePaths[kind.name] };
  }

  async #document(
    place: Place,
    { from, notes }: { readonly from: Slot; readonly notes: readonly string[] },
    outcome: UpdateDocument['outcome'],
  ): Promise<UpdateDocument> {
    const { kind, record } = place;
    const view = this.#viewOf(place);
    const [was, is] = await Promise.all([slotView(from, view), slotView(record.current, view)]);
    return {
      part: kind.name,
      dryRun: false,
      ok: false,
      phase: record.phase,
      from: was,
      to: is,
      notes,
      outcome,
    };
  }
}

function refused(part: PartName, problem: string): AgentError {
  return new AgentError('PART_REFUSED', `Cannot change ${part}: ${problem}`);
}
