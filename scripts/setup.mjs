// Installs what a fresh machine lacks before a command of package.json runs, and says what it installs.
// Plain JavaScript without dependencies, because nothing is installed yet when it runs.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { readArguments } from './terminal/arguments.mjs';

const usage = `Usage: node scripts/setup.mjs [DEBIAN-PACKAGE]…
Installs the npm packages of package-lock.json, and the Debian packages that are named, where they are missing.

Examples:
  node scripts/setup.mjs
  node scripts/setup.mjs mosquitto busybox-static

Exit code: 0 all is there, 2 wrong usage or something cannot be installed, which is said.`;

const { positionals: packages } = readArguments('setup', usage);

const lock = 'package-lock.json';
const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  // Not `npm ci`: it refuses a lock file that was made where packages for other platforms cannot be had.
  run('npm packages pinned in package-lock.json', ['npm', 'install', '--no-save', '--no-audit', '--no-fund']);
}

// The package that brings Node 22 for the tests links it as `node`, which npm would then run every script with.
rmSync('node_modules/.bin/node', { force: true });

const missing = packages.filter((name) => !isInstalled(name));
if (missing.length > 0) installDebian(missing);

function isInstalled(name) {
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return query.status === 0 && query.stdout.includes('install ok installed');
}

function installDebian(names) {
  const asRoot = process.getuid() === 0 ? [] : ['sudo', '-n'];
  const command = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    'install',
    '-y',
    '-q',
    '--no-install-recommends',
    ...names,
  ];
  const mayInstall = asRoot.length === 0 || spawnSync('sudo', ['-n', 'true']).status === 0;
  if (!mayInstall || spawnSync('apt-get', ['--version']).status !== 0) {
    console.error(`setup: cannot install Debian packages here; run: sudo apt-get install ${names.join(' ')}`);
    process.exit(2);
  }
  run('package lists', [...asRoot, 'apt-get', 'update', '-q']);
  run(`Debian packages ${names.join(' ')}`, [...asRoot, ...command]);
}

function run(what, [program, ...args]) {
  console.error(`setup: installing ${what}`);
  const { status } = spawnSync(program, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`setup: failed with status ${status}; repeat it with: ${[program, ...args].join(' ')}`);
  process.exit(2);
}
