import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** What the shell hands over: `-`, and what `<(…)` and `>(…)` stand for; somebody is at the other end of those. */
const ownDescriptor = /^(?:-|\/dev\/stdin|\/dev\/fd\/\d+|\/proc\/self\/fd\/\d+)$/;

/**
 * Opens a file that somebody named, `-` for the standard input. A pipe that nobody writes to, a device and a terminal would
 * hold us for ever, so they are refused; the message goes on after `Cannot read "…": `, and the fix after it.
 */
export async function openGiven(file: string): Promise<FileHandle> {
  if (isOwnDescriptor(file)) return open(file === '-' ? '/dev/stdin' : file, 'r');
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const found = await handle.stat();
  if (found.isFile()) return handle;
  await handle.close();
  throw new Error(found.isDirectory() ? 'it is a directory' : 'it is a pipe or a device');
}

/** Reports whether a name stands for a descriptor of our own, which its giver has opened. */
export function isOwnDescriptor(file: string): boolean {
  return ownDescriptor.test(file);
}

/** Content of such a file, where it has no more than so many bytes. */
export async function readGiven(file: string, maxBytes: number): Promise<Buffer> {
  // Not by its name: sshd and others give a socket, and a socket cannot be opened.
  if (file === '-') return collect(process.stdin, maxBytes);
  const handle = await openGiven(file);
  try {
    return await collect(handle.createReadStream({ autoClose: false }), maxBytes);
  } finally {
    await handle.close();
  }
}

/** What comes is counted, because not every file tells its size. */
async function collect(source: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
