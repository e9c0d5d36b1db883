import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AgentError, errnoOf, messageOf } from '../../agent/core/agent-error.ts';
import { openGiven } from '../../agent/host/given-file.ts';
import { type ConfigFile, configSizeLimit, parseConfig } from '../../agent/kernel/config-text.ts';

const inflate = promisify(gunzip);

function isGzip(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function tooLarge(source: string, size: string): AgentError {
  const limit = configSizeLimit / 1024 / 1024;
  return new AgentError(
    'INPUT_INVALID',
    `Cannot read "${source}" as a kernel configuration: it has ${size}, want at most ${limit} MiB; name a defconfig, .config or config.gz`,
  );
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    await using handle = await openGiven(path);
    const { size } = await handle.stat();
    if (size > configSizeLimit) throw tooLarge(path, `${Math.round(size / 1024 / 1024)} MiB`);
    const chunks: Buffer[] = [];
    let bytes = 0;
    // A pipe tells no size, so what comes is counted, too.
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > configSizeLimit) throw tooLarge(path, 'more than that');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${path}": ${errnoOf(error) ?? messageOf(error)}, want a readable defconfig, .config or config.gz`,
      { cause: error },
    );
  }
}

async function inflateConfig(path: string, bytes: Buffer): Promise<Buffer> {
  try {
    return await inflate(bytes, { maxOutputLength: configSizeLimit });
  } catch (error) {
    if (errnoOf(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, 'more than that unpacked');
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot unpack "${path}": the gzip data is damaged; copy it again`,
      {
        cause: error,
      },
    );
  }
}

/** Reads a defconfig layer, a .config or a config.gz from disk; throws INPUT_INVALID with the reason. */
export async function readConfig(path: string): Promise<ConfigFile> {
  const bytes = await readBytes(path);
  const plain = isGzip(bytes) ? await inflateConfig(path, bytes) : bytes;
  return parseConfig(plain.toString('utf8'), path);
}
