import { messageOf } from '../core/agent-error.ts';
import { openPart } from './open-part.ts';
import { untouched } from './part-record.ts';
import type { PartKind } from './part-table.ts';
import type { Story } from './story.ts';
import type { Place, UpdaterOptions, UpdaterPorts } from './updater-ports.ts';

/** Milliseconds between two tries to open what could not be read or put right at the start, e.g. on a disk that is full. */
const againMs = 10_000;

/** Brings the records of parts and what lies beside them in order, at the start or as soon as the disk lets it. */
export class PartOpener {
  readonly #options: UpdaterOptions;
  readonly #ports: UpdaterPorts;
  readonly #story: Story;
  readonly #openedLate: (place: Place) => void;

  /** `openedLate` is told of each part that could only be opened after the start. */
  constructor(
    options: UpdaterOptions,
    ports: UpdaterPorts,
    story: Story,
    openedLate: (place: Place) => void,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#story = story;
    this.#openedLate = openedLate;
  }

  /** Rejects where the disk is in trouble; then the part stays closed. */
  async open(place: Place): Promise<void> {
    const { kind, store } = place;
    const { launched, bootId } = this.#options;
    const isAgent = kind.name === 'agent';
    // Without its start script nobody has chosen, and there is nothing to compare the record with.
    place.isOpen = isAgent && launched === undefined;
    if (place.isOpen) return;
    const { found, record, story, aside } = await openPart(store, {
      bootId,
      nowMs: this.#ports.clock.wallMs(),
      launched: isAgent ? launched : undefined,
      readBase: () => this.baseOf(kind),
    });
    place.record = record;
    place.isOpen = true;
    if (aside !== undefined) this.#story.broken(kind.name, aside);
    if (story !== undefined) {
      this.#story.takenBack(kind.name, found.current, { ...story, to: record.current });
    }
    // What lies beside a record that was lost is all that there is to look at.
    if (record.phase === 'settled' && (record !== untouched || aside === undefined)) await this.tidy(place);
  }

  /** Opens a part after the start, once for all who ask meanwhile. */
  openLate(place: Place): Promise<void> {
    place.opening ??= this.open(place)
      .then(() => this.#openedLate(place))
      .finally(() => {
        place.opening = undefined;
      });
    return place.opening;
  }

  /** Tries until the part is open or the signal aborts: a change that is under way must not wait until somebody asks. */
  async insist(place: Place, signal: AbortSignal): Promise<void> {
    while (!place.isOpen) {
      await this.#ports.clock.sleep(againMs, signal);
      if (!place.isOpen) await this.openLate(place).catch(() => undefined);
    }
  }

  /** Takes away what the record does not speak of. What is left over costs room, no more. */
  async tidy({ kind: { name }, store, record }: Place): Promise<void> {
    try {
      await store.collect(record);
      if (name === 'agent') await store.forgetStarts();
    } catch (error) {
      this.#ports.log.warn('part.untidy', { part: name, message: messageOf(error) });
    }
  }

  /** Sum of the image's agent, which an agent on /data is put over; other parts are put over nothing. */
  async baseOf({ name }: PartKind): Promise<string> {
    return name === 'agent' ? this.#ports.disk.sumOf(this.#options.imagePaths.agent) : '';
  }
}
