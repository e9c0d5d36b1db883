import { AgentError } from '../../agent/core/agent-error.ts';
import { openGiven, readGiven } from '../../agent/host/given-file.ts';
import { type ProcessList, parseProcessList, unreadable } from './build-check.ts';
import { type Finding, Findings } from './findings.ts';
import { type CfgOutcome, type CfgSource, fileLimit, readCfg } from './read-cfg.ts';
import type { Release } from './release.ts';

/** Longest process list that is read, in bytes; those of the products have some thousand. */
const listLimit = 4_194_304;

/** Reads a cfg from disk; only as much as init would look at. Throws INPUT_INVALID where it cannot be read. */
export async function loadCfg(path: string, processList?: ProcessList): Promise<CfgSource> {
  try {
    await using handle = await openGiven(path);
    const { size } = await handle.stat();
    const text = size > fileLimit ? '' : await handle.readFile('utf8');
    return { path, text, bytes: size, ...(processList === undefined ? {} : { processList }) };
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Reads the product's high_privilege_process_list.json from disk. */
export async function loadProcessList(path: string): Promise<ProcessList> {
  try {
    return parseProcessList((await readGiven(path, listLimit)).toString('utf8'), path);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw unreadable(path, error);
  }
}

/** Everything that these releases of init and of the build hold against a file. */
export function checkCfg(source: CfgSource, releases: readonly Release[]): readonly Finding[] {
  const findings = new Findings();
  for (const release of releases) readCfg(source, release, findings.reporterFor(release));
  return findings.list();
}

/** What one release of init makes of a file, without the findings. */
export function outcomeOf(source: CfgSource, release: Release): CfgOutcome {
  return readCfg(source, release, () => undefined);
}
