import type { Note } from '../core/unit-spec.ts';

/** Header of a klog line: severity, date, time, pid. */
const header = /^[IWEF]\d{4} [\d:.]+ +(\d+) /;
const stopped = /\b(?:EdgeHub RouteToCloud|MetaManager main loop) stop\b/;
const asked = /Get os signal/;
const busy = /listen tcp \S*:(\d+): bind: address already in use/;

/**
 * Tells an edgecore whose modules have stopped while its process goes on. That happens when the port of its metaserver is
 * taken (edge/pkg/metamanager/metaserver/server.go cancels the context of all modules). With edged switched on the kubelet
 * answers /healthz all the same and the connection to the cloud stays open for a while: seen with 1.15.2.
 */
export function explainStoppedModules(lines: readonly string[]): Note | undefined {
  const pid = lines.map((line) => header.exec(line)?.[1]).findLast((found) => found !== undefined);
  const own = lines.filter((line) => header.exec(line)?.[1] === pid);
  if (!own.some((line) => stopped.test(line)) || own.some((line) => asked.test(line))) return undefined;
  const port = own.map((line) => busy.exec(line)?.[1]).findLast((found) => found !== undefined);
  if (port === undefined) {
    const message =
      'The modules of edgecore have stopped while its process goes on; it is restarted, see `agentctl logs edgecore`';
    return { reason: 'ModulesStopped', message };
  }
  const message = `Another program holds port ${port} of edgecore's metaserver, so its modules have stopped while the process goes on; stop that program, or join with --meta-server off`;
  return { reason: 'MetaServerPortBusy', message };
}
