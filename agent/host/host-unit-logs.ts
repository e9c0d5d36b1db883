import fs from 'node:fs';
import path from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Commands } from '../core/commands.ts';
import type { OutputDescriptors } from '../core/process.ts';
import type { LogQuery, OutputCapture, UnitLogLine, UnitLogs } from '../core/unit-logs.ts';
import { LineStamper } from './line-stamper.ts';
import { readLines } from './log-lines.ts';
import { ReadSpace } from './output-pipe.ts';
import { piperoomProgram } from './piperoom-program.ts';
import { type LogBudget, RotatingFile } from './rotating-file.ts';
import { runOnce } from './tiny-child.ts';
import { isTinyArch } from './tiny-program.ts';
import { Turns } from './turns.ts';
import { type PipePath, UnitCapture } from './unit-capture.ts';
import { headroomBytes } from './whole-lines.ts';

/** Each reader of many lines costs some ten megabytes. */
const readersAtOnce = 2;

/** Where logs and pipes are, and what makes a named pipe. */
export interface UnitLogsOptions {
  readonly clock: Clock;
  readonly commands: Commands;
  /** argv before the path, e.g. `['/system/opt/oh-edge-agent/bin/busybox', 'mkfifo']`: Node itself cannot make one. */
  readonly makePipe: readonly [string, ...string[]];
  /** Directory of `<unit>.log` and `agent.log`. */
  readonly logDir: string;
  /** Directory of the named pipes, which must survive the agent, not the boot; it takes a small program for a moment. */
  readonly pipeDir: string;
  readonly budget: LogBudget;
}

/**
 * Unit logs in rotating files. A stored line is `<ISO time> <o|e|a> <text>`, or only the text where it was read together
 * with the line above; the first line of a file always has its time.
 */
export class HostUnitLogs implements UnitLogs {
  readonly #options: UnitLogsOptions;
  readonly #space: ReadSpace;
  readonly #stamper = new LineStamper();
  readonly #turns = new Turns(readersAtOnce);

  constructor(options: UnitLogsOptions) {
    this.#options = options;
    this.#space = new ReadSpace(headroomBytes, options.budget.fileBytes);
  }

  async capture(unit: string): Promise<OutputCapture> {
    const { clock, pipeDir, budget } = this.#options;
    fs.mkdirSync(pipeDir, { recursive: true, mode: 0o700 });
    const out = await this.#pipe(path.join(pipeDir, `${unit}.out`));
    const err = await this.#pipe(path.join(pipeDir, `${unit}.err`));
    const file = new RotatingFile(this.#file(unit), budget);
    const widen = (pipes: OutputDescriptors): void => {
      const program = isTinyArch(process.arch) ? piperoomProgram(process.arch) : undefined;
      runOnce({ directory: pipeDir, name: 'piperoom', program }, pipes);
    };
    return new UnitCapture({ out, err }, { file, clock, space: this.#space, stamper: this.#stamper, widen });
  }

  lines(query: LogQuery, signal: AbortSignal): AsyncIterable<UnitLogLine> {
    const { clock, budget } = this.#options;
    const turns = this.#turns;
    return readLines({ file: this.#file(query.unit), files: budget.files, query, clock, signal, turns });
  }

  #file(unit: string): string {
    return path.join(this.#options.logDir, `${path.basename(unit)}.log`);
  }

  /** An existing pipe is kept: a living unit may be writing into it. */
  async #pipe(path: string): Promise<PipePath> {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat?.isFIFO() === true) return { path, isOld: true };
    if (stat !== undefined) fs.unlinkSync(path);
    const [program, ...args] = this.#options.makePipe;
    await this.#options.commands.run([program, ...args, path]);
    return { path, isOld: false };
  }
}
