import type { Product } from '../../image/product.ts';
import type { Board, BoardOptions } from '../board.ts';
import type { ImageOptions } from '../image.ts';
import type { Progress } from '../progress.ts';

/** What may differ from the command line's board: its image, and how it is started. */
export interface BootWishes {
  readonly image?: Partial<Pick<ImageOptions, 'root' | 'form' | 'withoutModules' | 'extra'>>;
  readonly start?: Partial<Omit<BoardOptions, 'image' | 'logs'>>;
}

/** What a scenario works with. */
export interface ScenarioContext {
  /** Boots a board as the command line wants it, or with the given differences. Boards that are left over are killed. */
  readonly boot: (wishes?: BootWishes) => Promise<Board>;
  /** The product as one would install it on a board with a stock root. */
  readonly product: () => Promise<Product>;
  readonly progress: Progress;
  /** Folder for whatever the scenario leaves behind. */
  readonly logs: string;
  /** How often to do what is done several times; the scenario decides where it is not given. */
  readonly times?: number | undefined;
  /** What chance follows from; a new one each time where it is not given. */
  readonly seed?: number | undefined;
  /** Features named on the command line; a scenario about several takes only these. */
  readonly features?: readonly string[];
}

/** Something that is done to a board and judged; it throws when the board does not behave. */
export interface Scenario {
  readonly summary: string;
  run(context: ScenarioContext): Promise<void>;
}
