import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { isAgentError, messageOf } from '../../agent/core/agent-error.ts';
import type { Board } from './board.ts';

/** Serial number of the virtual board, as its kernel is told. */
const serial = 'LAB0000000000001';

/** What hdc says where no board answers (openharmony/developtools_hdc src/host/server.cpp, 6.0). */
const nobody = '[Fail]ExecuteCommand need connect-key? please confirm a device by help info';

/**
 * Lets the stand-in of hdc (test/standins/hdc/main.mjs) reach a virtual board through a socket, with hdc's manners: output
 * and complaints in one stream, no exit status, `[Fail]` in words.
 */
export async function openHdcDoor(board: Board, socket: string): Promise<AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    serve(board, client).catch(() => client.destroy());
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(board: Board, client: Socket): Promise<void> {
  client.on('error', () => undefined);
  let asked = '';
  // Not by iterating: that would close the way back as soon as the question has ended.
  client.setEncoding('utf8').on('data', (piece: string) => {
    asked += piece;
  });
  await once(client, 'end');
  const args = JSON.parse(asked) as string[];
  client.end(await answer(board, args).catch((error: unknown) => failure(error)));
}

function failure(error: unknown): string {
  return isAgentError(error, 'AGENT_UNREACHABLE') ? nobody : `[Fail]${messageOf(error)}`;
}

async function answer(board: Board, [verb = '', ...rest]: readonly string[]): Promise<string> {
  const [first = '', second = '', third = ''] = rest;
  if (verb === 'list') return `${serial}\n`;
  if (verb === 'shell') return shell(board, first);
  if (verb === 'file' && first === 'send') {
    await board.push(await readFile(second), third);
    return 'FileTransfer finish, Size:1, File count = 1, time:1ms rate:1kB/s\n';
  }
  if (verb === 'target' && first === 'boot') {
    // The real one does not wait either.
    board.reboot(240_000).catch(() => undefined);
    return '';
  }
  return '[Fail]Unknown operation command\n';
}

async function shell(board: Board, command: string): Promise<string> {
  let said = '';
  const decoder = new TextDecoder();
  const onOutput = (bytes: Uint8Array): void => {
    said += decoder.decode(bytes, { stream: true });
  };
  // hdcd up to 4.1 takes off every quotation mark at both ends of a command.
  await board.exec(command.replaceAll(/^"+|"+$/g, ''), { onOutput });
  return said;
}
