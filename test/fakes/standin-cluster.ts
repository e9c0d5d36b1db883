import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostCloudProbe } from '../../agent/host/cloud-probe.ts';
import { cloudProgram } from '../../scripts/cloud/cloud-program.ts';
import { KubeClient } from '../../scripts/cloud/kube-client.ts';
import { routerObjects } from '../../scripts/cloud/manifests.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { CloudHub } from '../standins/cloudhub/cloudhub.ts';
import { Router } from '../standins/cloudhub/router.ts';
import { edgeBoard } from './edge-board.ts';
import { RecordedTerminal } from './recorded-terminal.ts';

/** A cloud with its router and a board in it; cloud and edgecore are stand-ins. */
export async function standinCluster(t: TestContext, version: string) {
  const cloud = await CloudHub.start({ version });
  t.after(() => cloud.stop());
  const { hubPort, enrolPort } = cloud;
  const place = { host: '127.0.0.1', hubPort, enrolPort, token: () => cloud.token() };
  const board = await edgeBoard(t, 'n1', version, place);
  const wishes = {
    namespace: 'default',
    queryPort: board.questions,
    hasCommands: true,
    reportUrl: undefined,
    replyUrl: undefined,
  };
  const router = await Router.start(cloud, routerObjects(wishes), { retryMs: 1 });
  t.after(() => router.stop());
  return {
    ...board,
    cloud,
    router,
    run: (...argv: string[]) => runCloud(...argv, '--router', router.url),
  };
}

/** Runs `npm run cloud -- ARGUMENTS`. */
export async function runCloud(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = new RecordedTerminal();
  const ports = {
    terminal,
    openKube: (file: string | undefined, context: string | undefined) => KubeClient.open(file, context),
    cloud: new HostCloudProbe(),
    nowMs: () => Date.now(),
    sleep: async (ms: number) => sleep(ms),
    untilInterrupted: () => new AbortController().signal,
  };
  const code = await runProgram((finish) => cloudProgram(ports, finish), argv, terminal);
  return { code, out: terminal.text(), err: terminal.complaint() };
}
