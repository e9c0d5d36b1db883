import { AgentError } from '../../agent/core/agent-error.ts';
import { isSince, type Release, releases } from './release.ts';
import { fileRules } from './rules-file.ts';
import { jobRules } from './rules-job.ts';
import { serviceRules } from './rules-service.ts';

/*
 * A row is `ID ; SEVERITY ; RELEASES ; SOURCE ; what follows from it ; what to do`.
 * RELEASES: `3.2+` from then on, `3.1-4.0` from to, `3.1` only this one.
 */

/**
 * error: something that is written is not done, or does damage, or stops the build. warning: it is done, with a
 * consequence that is easily overlooked. hint: worth knowing.
 */
export type Severity = 'error' | 'warning' | 'hint';

/** One rule that init or the build of OpenHarmony follows without saying so. */
export interface Rule {
  readonly id: string;
  readonly severity: Severity;
  readonly releases: readonly Release[];
  /** What happens. */
  readonly why: string;
  readonly fix: string;
  /** The upstream file that decides. */
  readonly source: string;
}

const severities: Readonly<Record<string, Severity>> = { E: 'error', W: 'warning', H: 'hint' };

const init = 'openharmony/startup_init services/init';
const sources: Readonly<Record<string, string>> = {
  adapter: `${init}/adapter/init_adapter.c`,
  build:
    'openharmony/build ohos/packages/process_field_validate.py (3.2: high_privilege_process_validate.py)',
  capability: `${init}/init_capability.c`,
  chipset: `${init}/init_config.c and services/modules/init_context/init_context.c`,
  commands: `${init}/init_common_cmds.c and standard/init_cmds.c`,
  'common-service': `${init}/init_common_service.c`,
  config: `${init}/init_config.c`,
  json: 'DaveGamble/cJSON cJSON.c, called by openharmony/startup_init services/init/init_config.c',
  passwd: 'openharmony/startup_init services/etc/passwd and group',
  sandbox: `${init}/standard/init_service.c and services/sandbox/sandbox.c`,
  selinux: 'openharmony/startup_init services/modules/selinux/selinux_adp.c',
  service: `${init}/init_service_manager.c`,
  trigger: 'openharmony/startup_init services/param/trigger/trigger_processor.c and trigger_checker.c',
  utils: 'openharmony/startup_init services/utils/init_utils.c',
};

function parseRange(text: string): readonly Release[] {
  const [first, last = text.endsWith('+') ? releases[releases.length - 1] : first] = text
    .replace('+', '')
    .split('-');
  return releases.filter(
    (release) => isSince(release, first as Release) && isSince(last as Release, release),
  );
}

function parseRule(line: string): Rule {
  const [id = '', severity = '', range = '', source = '', why = '', ...fix] = line.split(' ; ');
  const rule = { severity: severities[severity], source: sources[source], releases: parseRange(range) };
  if (rule.severity === undefined || rule.source === undefined || rule.releases.length === 0) {
    throw new AgentError('BUG', `Cannot read the rule "${line}": severity, releases or source mean nothing`);
  }
  return {
    id,
    severity: rule.severity,
    releases: rule.releases,
    source: rule.source,
    why,
    fix: fix.join(' ; '),
  };
}

/** Every rule, in the order of the tables. */
export const rules: readonly Rule[] = [fileRules, serviceRules, jobRules].flatMap((table) =>
  table.trim().split('\n').map(parseRule),
);

const byId: ReadonlyMap<string, Rule> = new Map(rules.map((rule) => [rule.id, rule]));

/** The rule of an id. Throws BUG for an id that no table has. */
export function ruleOf(id: string): Rule {
  const rule = byId.get(id);
  if (rule === undefined) throw new AgentError('BUG', `Cannot report "${id}": no rule has this id`);
  return rule;
}
