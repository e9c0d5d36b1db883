import type { PlanDocument } from './api/wire.ts';
import { loadConfig } from './config/load.ts';
import { groundSettings } from './ground-settings.ts';
import { FileStore } from './host/file-store.ts';
import { HostGroundObserver } from './host/ground-observer.ts';
import { ToolRunner } from './host/tool-runner.ts';
import { readPlaces } from './places.ts';
import { planNow } from './prep/plan-now.ts';

/** Plans the ground work from this process, for the time when no agent runs. Changes nothing. */
export async function localPlan(signal: AbortSignal, argv: readonly string[] = []): Promise<PlanDocument> {
  const places = readPlaces(argv);
  const files = new FileStore();
  const { config } = await loadConfig(files, places.configFile, `${places.home}/state/agent.last-good.json`);
  const tools = new ToolRunner({ PATH: '/nonexistent', LC_ALL: 'C' });
  const observer = new HostGroundObserver(tools, places.busybox, `${places.home}/run`);
  return planNow({ observer, settings: groundSettings(config, places), files }, signal);
}
