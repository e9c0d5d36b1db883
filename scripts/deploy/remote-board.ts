import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { runCommand } from '../lab/command.ts';
import type { RemoteTool } from './remote-tools.ts';

/** How a command on the board ended. */
export interface ShellResult {
  readonly code: number;
  readonly out: string;
}

/** Which board, and through which program. */
export interface RemotePlace {
  readonly tool: RemoteTool;
  /** Program with leading arguments, usually just the tool's name. */
  readonly command: readonly string[];
  /** Key of the board as the tool lists it, or undefined for the only one. */
  readonly target: string | undefined;
}

/** How often and at which distance a board that restarts is asked whether it is back. */
export interface Patience {
  readonly tries: number;
  readonly pauseMs: number;
}

/**
 * A board behind hdc or adb. hdc's exit status is 0 whatever happened and the board's own status is dropped
 * (openharmony/developtools_hdc src/host/main.cpp, src/daemon/daemon_unity.cpp, 6.0), so every command ends with a
 * marker of its own that carries the status; no marker means that the connection broke.
 */
export class RemoteBoard {
  readonly #place: RemotePlace;

  constructor(place: RemotePlace) {
    this.#place = place;
  }

  /** Picks the only board, or makes sure that the named one is there; an address is connected to first. */
  async find(): Promise<string> {
    const { tool, target } = this.#place;
    let keys = await this.#keys();
    if (target !== undefined && target.includes(':') && !keys.includes(target)) {
      await this.#run(tool.connect(target), false);
      keys = await this.#keys();
    }
    if (target === undefined && keys.length === 1 && keys[0] !== undefined) return keys[0];
    if (target !== undefined && keys.includes(target)) return target;
    const what =
      target === undefined
        ? `want one board, ${tool.name} lists ${keys.length}`
        : `${tool.name} does not list ${target}`;
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot find the board: ${what} (${keys.join(', ') || 'none'}); connect it, or name one with --target`,
    );
  }

  async #keys(): Promise<string[]> {
    const { tool } = this.#place;
    return tool.keysIn(await this.#run(tool.list, false));
  }

  /** Runs a command in the board's shell. Throws TOOL_FAILED where no answer came. */
  async shell(command: string): Promise<ShellResult> {
    const { tool } = this.#place;
    const marker = `rc-${randomBytes(6).toString('hex')}`;
    // Neither begins nor ends with a quotation mark: hdcd up to 4.1 takes off all of them at both ends.
    const text = await this.#run(tool.shell(`${command}\necho ${marker}=$?`), true);
    const at = text.lastIndexOf(`${marker}=`);
    const code = /^\d+/.exec(text.slice(at + marker.length + 1))?.[0];
    if (at === -1 || code === undefined) {
      throw new AgentError(
        'TOOL_FAILED',
        `Cannot run a command on the board: no answer came, ${tool.name} said "${text.trim().slice(-200)}"; check the cable and run it again`,
      );
    }
    return { code: Number(code), out: text.slice(0, at).replaceAll('\r', '') };
  }

  /** Runs a command that has to succeed; `act` says what it is for. */
  async must(act: string, command: string): Promise<string> {
    const { code, out } = await this.shell(command);
    if (code === 0) return out;
    throw new AgentError(
      'STEP_FAILED',
      `Cannot ${act}: the board answered ${code}: ${out.trim().slice(-400)}`,
    );
  }

  /** Sends a file; whether it arrived as it was is for the caller to find out. */
  async send(local: string, remote: string): Promise<void> {
    const { tool } = this.#place;
    const text = await this.#run(tool.send(local, remote), true);
    if (tool.isSent(text)) return;
    throw new AgentError(
      'TOOL_FAILED',
      `Cannot send ${local}: ${tool.name} said "${text.trim().slice(-200)}"; run it again to go on`,
    );
  }

  /** Restarts the board and waits until its shell answers from a new boot. */
  async reboot(patience: Patience): Promise<void> {
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const before = await this.must('read the boot id', bootId);
    await this.#run(this.#place.tool.reboot, true);
    for (let attempt = 0; attempt < patience.tries; attempt += 1) {
      await delay(patience.pauseMs);
      const now = await this.shell(bootId).catch(() => undefined);
      if (now?.code === 0 && now.out.trim() !== before.trim()) return;
    }
    throw new AgentError(
      'TIMED_OUT',
      'Cannot reach the board after its restart: look at its console, then run it again',
    );
  }

  async #run(args: readonly string[], isOnTarget: boolean): Promise<string> {
    const { tool, command, target } = this.#place;
    const [program = tool.name, ...leading] = command;
    const key = isOnTarget && target !== undefined ? tool.choose(target) : [];
    return runCommand(program, [...leading, ...key, ...args]).catch((error: unknown) => {
      throw new AgentError(
        'TOOL_FAILED',
        `Cannot use ${tool.name}: ${causeOf(error)}; put it into PATH or name it with --${tool.name}`,
        { cause: error },
      );
    });
  }
}

/** What went wrong, in one line; no Debian package brings hdc. */
function causeOf(error: unknown): string {
  const [first = ''] = messageOf(error).split('; install the Debian');
  return first.trim().replaceAll(/\s*\n\s*/g, ': ');
}

/** Text as one word of the board's shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
