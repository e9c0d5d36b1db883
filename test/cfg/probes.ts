import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { checkCfg, loadCfg, outcomeOf } from '../../scripts/cfg/check-cfg.ts';
import { releasesOf } from '../../scripts/cfg/findings.ts';
import { type Release, releases } from '../../scripts/cfg/release.ts';

/** What one release of init makes of a probe, in a form that another implementation can print too. */
export interface ProbeOutcome {
  readonly lost: boolean;
  /** Of a service that is absent only the name counts. */
  readonly services: readonly {
    readonly name: string;
    readonly state: string;
    readonly argv?: readonly string[];
    readonly uid?: string;
    readonly startMode?: string;
  }[];
  /** A command is what becomes of it, its name and its words, with a space between; an empty word is ''. */
  readonly jobs: readonly {
    readonly name: string;
    readonly trigger: string;
    readonly condition?: string;
    readonly commands: readonly string[];
  }[];
}

/** A probe file with what the checker must say and what init makes of it. */
export interface Probe {
  readonly file: string;
  readonly about: string;
  /** `RULE PATH (RELEASES)`, in the order of the file. */
  readonly findings: readonly string[];
  readonly outcomes: readonly (ProbeOutcome & { readonly releases: readonly Release[] })[];
}

/** Folder of the probe files and of `expected.json`. */
export const probeFolder = 'test/cfg/probes';

/** The releases for which outcomes are recorded: each has a parser of its own kind. */
export const outcomeReleases: readonly Release[] = ['3.1', '4.0', '6.0', '7.0'];

/** The recorded probes. */
export function expectedProbes(): readonly Probe[] {
  const text = readFileSync(path.join(probeFolder, 'expected.json'), 'utf8');
  return (JSON.parse(text) as { readonly probes: readonly Probe[] }).probes;
}

/** Names of the probe files in the folder. */
export function probeFiles(): readonly string[] {
  return readdirSync(probeFolder).filter((name) => name.includes('.cfg'));
}

/** What the checker says about a probe now. */
export async function findingsOf(file: string): Promise<readonly string[]> {
  const source = await loadCfg(path.join(probeFolder, file));
  return checkCfg(source, releases).map(
    (finding) => `${finding.rule} ${finding.path} (${releasesOf(finding)})`,
  );
}

/** What the checker thinks a release makes of a probe now. */
export async function probeOutcome(file: string, release: Release): Promise<ProbeOutcome> {
  const outcome = outcomeOf(await loadCfg(path.join(probeFolder, file)), release);
  return {
    lost: outcome.isLost,
    services: outcome.services.map(({ name, state, argv, uid, startMode }) =>
      state === 'absent'
        ? { name, state }
        : { name, state, argv, ...(uid === undefined ? {} : { uid }), startMode },
    ),
    jobs: outcome.jobs.map(({ name, trigger, condition, commands }) => ({
      name,
      trigger,
      ...(condition === undefined ? {} : { condition }),
      commands: commands.map(({ does, name: command, words }) =>
        [does, command, ...words.map((word) => (word === '' ? "''" : word))].join(' '),
      ),
    })),
  };
}
