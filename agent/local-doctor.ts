import type { DoctorDocument } from './api/wire.ts';
import { loadConfig, problemTexts } from './config/load.ts';
import { groundSettings } from './ground-settings.ts';
import { FileStore } from './host/file-store.ts';
import { HostGroundObserver } from './host/ground-observer.ts';
import { HostGroundProbes } from './host/ground-probes.ts';
import { HostPrograms } from './host/host-programs.ts';
import { ToolRunner } from './host/tool-runner.ts';
import { type Places, readPlaces } from './places.ts';
import { examine } from './prep/doctor/examine.ts';

/** Examines the board from this process, for the time when no agent runs. Changes nothing that outlasts it. */
export async function localDoctor(
  signal: AbortSignal,
  argv: readonly string[] = [],
): Promise<DoctorDocument> {
  const places: Places = readPlaces(argv);
  const lastGood = `${places.home}/state/agent.last-good.json`;
  const { config, problems } = await loadConfig(new FileStore(), places.configFile, lastGood);
  const tools = new ToolRunner({ PATH: '/nonexistent', LC_ALL: 'C' });
  return examine(
    {
      settings: groundSettings(config, places),
      observer: new HostGroundObserver(tools, places.busybox, `${places.home}/run`),
      programs: new HostPrograms(),
      probes: new HostGroundProbes(tools, places.busybox, `${places.home}/run`),
      nodeName: config['node.name'],
      isDockerWanted: config['dockerd.enabled'],
      configProblems: problemTexts(places.configFile, problems),
    },
    signal,
  );
}
