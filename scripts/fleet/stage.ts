import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { defaultConfig } from '../../agent/config/default-config.ts';
import { CloudHubLink } from '../../agent/host/cloudhub-link.ts';
import { MqttLink } from '../../agent/host/mqtt-link.ts';
import { Mosquitto } from '../../test/fakes/mosquitto.ts';
import { SimulatedBoard } from './board.ts';
import { type CloudPlace, CloudProcess } from './cloud-process.ts';
import { EventBus } from './event-bus.ts';
import { Traffic } from './traffic.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Milliseconds of real time after which an answer that does not come is given up; a busy machine may take its time. */
const patienceMs = 60_000;

/** Everything a fleet needs: one real broker, one stand-in for CloudHub, the boards, and their common clock. */
export interface FleetStage {
  readonly clock: VirtualClock;
  readonly traffic: Traffic;
  readonly cloud: CloudProcess;
  readonly bus: EventBus;
  readonly boards: readonly SimulatedBoard[];
  /** Times that an answer did not come. */
  stalls(): number;
  /** Resident memory in bytes that all boards together took when they were made. */
  end(): Promise<void>;
}

/** Builds the stage; the boards are made and not yet started. */
export async function buildStage(count: number): Promise<FleetStage> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-'));
  const undo: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  let stalls = 0;
  const settle = async (): Promise<void> => {
    const beganMs = performance.now();
    for (let turn = 0; turn < 4 || !traffic.isIdle; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (performance.now() - beganMs < patienceMs) continue;
      stalls += 1;
      // Whatever it was, the others must not wait for it again and again.
      traffic.forget();
      return;
    }
  };
  const clock = new VirtualClock(settle);
  const traffic = new Traffic(() => clock.nowMs());
  const end = async (): Promise<void> => {
    for (const act of undo.reverse()) await act();
  };
  try {
    const broker = await Mosquitto.start([
      'allow_anonymous true',
      'max_connections -1',
      'max_queued_messages 0',
    ]);
    undo.push(() => broker.end());
    // cloudcore's own default is 500; a session of the agent's takes a place beside edgecore's.
    const cloud = await CloudProcess.start(2 * count + 10);
    undo.push(() => cloud.stop());
    const bus = await EventBus.start(broker.url);
    undo.push(() => bus.stop());
    const tls = certificateFiles(cloud.place, folder);
    const shared = {
      clock,
      settings: defaultConfig(),
      broker: traffic.broker(new MqttLink()),
      brokerUrl: broker.url,
      hub: traffic.hub(new CloudHubLink()),
      hubPort: cloud.place.hubPort,
      tls,
    };
    const boards = Array.from({ length: count }, (_, index) => new SimulatedBoard(index, shared));
    for (const { name } of boards) bus.addNode(name);
    await cloud.add(boards.map(({ name }) => name));
    undo.push(async () => {
      await Promise.all(boards.map((board) => board.report.stop()));
    });
    return { clock, traffic, cloud, bus, boards, stalls: () => stalls, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function certificateFiles({ caPem, certPem, keyPem }: CloudPlace, folder: string) {
  const write = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    caFile: write('ca.pem', caPem),
    certFile: write('cert.pem', certPem),
    keyFile: write('key.pem', keyPem),
  };
}
