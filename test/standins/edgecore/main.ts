import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { defaultConfig, minConfig } from './defaults.ts';
import { Edgecore } from './edgecore.ts';
import { type Faults, readFaults } from './faults.ts';
import { exitWith, klog } from './klog.ts';
import { encodeTree, type Loaded, loadSettings, withValue } from './settings.ts';

const here = path.dirname(process.argv[1] ?? '.');
const version = releaseVersion();
const minor = Number(/^1\.(\d+)/.exec(version)?.[1] ?? 22);
const faultsFile = process.env['STANDIN_FAULTS'] ?? path.join(here, 'edgecore.faults.json');
const bootstrapFile = process.env['STANDIN_BOOTSTRAP'] ?? '/etc/kubeedge/bootstrap-edgecore.conf';
const known = [
  '--config',
  '--defaultconfig',
  '--minconfig',
  '--version',
  '--v',
  '-v',
  '--logtostderr',
  '--vmodule',
];

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  const flags = args.filter((arg) => arg.startsWith('-')).map((arg) => arg.split('=')[0] ?? arg);
  const unknown = flags.find((flag) => !known.includes(flag) && flag !== '-h' && flag !== '--help');
  if (unknown !== undefined) {
    process.stderr.write(`Error: unknown flag: ${unknown}\nUsage:\n  edgecore [flags]\n`);
    process.exit(1);
  }
  if (flags.includes('-h') || flags.includes('--help'))
    process.stdout.write('STAND-IN for edgecore\n\nUsage:\n  edgecore [flags]\n');
  else if (flags.includes('--minconfig')) print('--minconfig', minConfig(minor));
  else if (flags.includes('--defaultconfig')) print('--defaultconfig', defaultConfig(minor));
  else await start(configFile(args));
}

function print(flag: string, config: Record<string, unknown>): void {
  process.stdout.write(
    `# With ${flag} flag, STAND-IN for edgecore ${version}: fewer fields than the real one.\n\n${stringify(config)}\n\n`,
  );
}

async function start(file: string): Promise<void> {
  process.stderr.write(`STAND-IN: this is not KubeEdge's edgecore; it behaves like ${version} for tests\n`);
  const faults = (): Faults => readFaults(faultsFile);
  const { loaded, hadToken } = await load(file);
  klog('I', 'server.go:102', `Version: v${version}`);
  const tree = minor < 21 ? loaded.tree : { ...loaded.tree, edgecoreVersion: `v${version}` };
  if (minor >= 21 && loaded.tree['edgecoreVersion'] !== `v${version}`) await rewrite(file, tree);
  const first = faults();
  if (first.exit !== undefined) await endAsTold(first.exit);
  const edgecore = new Edgecore(loaded.settings, {
    version,
    minor,
    faults,
    dialMs: Number(process.env['STANDIN_DIAL_MS'] ?? 5000),
    enrolled: () => (hadToken && minor >= 13 ? forgetToken(file, tree) : Promise.resolve()),
  });
  handleSignals(edgecore, faults);
  watchParent();
  watchZombie(edgecore, faults);
  if (first.stopped === true) sayStopped();
  if (first.hang === true) setInterval(() => {}, 60_000);
  else await edgecore.run();
}

/** The bootstrap file wins over the YAML's token (from 1.13 on); its text is trimmed from 1.18 on only. */
async function load(file: string): Promise<{ loaded: Loaded; hadToken: boolean }> {
  try {
    const loaded = await loadSettings(file, minor);
    const hadToken = loaded.settings.hub.token !== '';
    const bootstrap = minor < 13 ? undefined : await readFile(bootstrapFile, 'utf8').catch(() => undefined);
    if (bootstrap === undefined) return { loaded, hadToken };
    const token = minor >= 18 ? bootstrap.trim() : bootstrap;
    const settings = { ...loaded.settings, hub: { ...loaded.settings.hub, token } };
    return {
      loaded: { settings, tree: withValue(loaded.tree, ['modules', 'edgeHub', 'token'], token) },
      hadToken,
    };
  } catch (error) {
    return exitWith('server.go:72', (error as Error).message);
  }
}

/** From 1.21 on the file is written back when its version differs, the token of the bootstrap file included. */
async function rewrite(file: string, tree: Record<string, unknown>): Promise<void> {
  try {
    await writeFile(file, encodeTree(tree));
  } catch (error) {
    exitWith('server.go:110', `failed to update edgecore config file, err: ${(error as Error).message}`);
  }
}

/** From 1.13 on a token that stood in the YAML is taken out of it once it has served, and the comments with it. */
async function forgetToken(file: string, tree: Record<string, unknown>): Promise<void> {
  await writeFile(file, encodeTree(withValue(tree, ['modules', 'edgeHub', 'token'], '')), { mode: 0o640 });
}

function handleSignals(edgecore: Edgecore, faults: () => Faults): void {
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT'] as const) {
    process.on(signal, () => {
      if (faults().ignoreSignals === true) return;
      klog('I', 'core.go:81', `Get os signal ${signal.toLowerCase().replace('sig', '')}`);
      void edgecore.stop().finally(() => process.exit(0));
    });
  }
}

function watchZombie(edgecore: Edgecore, faults: () => Faults): void {
  const timer = setInterval(() => {
    if (faults().zombie !== true) return;
    clearInterval(timer);
    klog('E', 'server.go:121', 'failed to serve meta server: stand-in fault: zombie');
    setInterval(() => {}, 60_000);
    void edgecore.stop();
  }, 250);
}

function sayStopped(): void {
  klog('E', 'server.go:166', 'listen tcp 127.0.0.1:10550: bind: address already in use');
  klog('W', 'process.go:426', 'MetaManager main loop stop');
  klog('W', 'process.go:148', 'EdgeHub RouteToCloud stop');
}

/** A test that is killed must not leave edgecores behind: those that name their test end with it. */
function watchParent(): void {
  const parent = Number(process.env['STANDIN_PARENT'] ?? 0);
  if (parent === 0) return;
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch {
      process.exit(0);
    }
  }, 1000).unref();
}

async function endAsTold({ code, lines, afterMs }: NonNullable<Faults['exit']>): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}

function configFile(args: readonly string[]): string {
  const joined = args.find((arg) => arg.startsWith('--config='))?.slice('--config='.length);
  const at = args.indexOf('--config');
  return joined ?? (at === -1 ? undefined : args[at + 1]) ?? '/etc/kubeedge/config/edgecore.yaml';
}

function releaseVersion(): string {
  const named = process.env['STANDIN_VERSION'];
  if (named !== undefined) return named.replace(/^v/, '');
  try {
    return readFileSync(path.join(here, 'version'), 'utf8').trim().replace(/^v/, '');
  } catch {
    return '1.22.1';
  }
}
