import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Page } from 'puppeteer-core';
import { boardTimeMs, type FakeVerbs } from '../fakes/fake-verbs.ts';
import { loadSamples } from '../fakes/load-samples.ts';
import { startWay } from '../host/api-way.ts';
import { finish, run, start } from './agentctl.ts';

/** Where the picture goes, for people and for CI to keep. */
const pictures = path.join('build', 'pictures');
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

interface Shown {
  readonly verbs: FakeVerbs;
  readonly address: string;
  readonly child: ChildProcess;
  readonly stopAgent: () => Promise<void>;
}

/** A dashboard that is being served over fake verbs. */
async function show(t: TestContext): Promise<Shown> {
  const { path: socket, verbs, listener } = await startWay(t);
  const child = start(socket, ['dashboard']);
  t.after(() => child.kill('SIGKILL'));
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    child.stderr?.once('data', (chunk) => reject(new Error(String(chunk))));
  });
  return { verbs, address, child, stopAgent: () => listener.stop() };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

function ask(
  address: string,
  target: string,
  options: { method?: string; headers?: object } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {} } = options;
    const asked = request(new URL(target, address), { method, headers: { ...headers } }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('the dashboard serves its page, runs nothing but its own script, and ends well with Ctrl-C', async (t) => {
  const { address, child } = await show(t);
  const { status, headers, text } = await ask(address, '/');
  assert.equal(status, 200);
  assert.match(text, /^<!doctype html>/);
  assert.match(String(headers['content-security-policy']), /default-src 'none';.*script-src 'sha256-[^']+';/);
  const outcome = finish(child);
  child.kill('SIGINT');
  assert.equal((await outcome).code, 0);
});

test('the dashboard hands on load and ledger', async (t) => {
  const { address, verbs } = await show(t);
  verbs.load = loadSamples(3, boardTimeMs);
  const { samples } = JSON.parse((await ask(address, '/samples')).text) as { samples: unknown[] };
  assert.equal(samples.length, 3);
  assert.deepEqual(JSON.parse((await ask(address, '/ledger')).text), { records: [] });
});

const foreign: readonly (readonly [string, object])[] = [
  ['another page by Origin', { origin: 'https://evil.example' }],
  ['another page by Sec-Fetch-Site', { 'sec-fetch-site': 'cross-site' }],
  ['a sister page on the same site', { 'sec-fetch-site': 'same-site' }],
  ['a name that was pointed here by DNS', { host: 'evil.example' }],
];
for (const [name, headers] of foreign) {
  test(`${name} learns nothing from the dashboard`, async (t) => {
    const { address } = await show(t);
    for (const target of ['/', '/stream', '/samples', '/ledger']) {
      assert.equal((await ask(address, target, { headers })).status, 403);
    }
  });
}

test('nothing can be changed through the dashboard', async (t) => {
  const { address, verbs } = await show(t);
  assert.equal((await ask(address, '/v1/units/dockerd/stop', { method: 'POST' })).status, 403);
  assert.equal((await ask(address, '/v1/status')).status, 404);
  assert.equal(verbs.units.get('dockerd')?.wanted, 'up');
});

test('a port that is taken is said with the way out', async (t) => {
  const { address } = await show(t);
  const { code, stderr } = await run('/tmp/oh-ctl-nobody.sock', 'dashboard', '--port', new URL(address).port);
  assert.equal(code, 4);
  assert.match(stderr, /EADDRINUSE; choose another with --port/);
});

/** A real browser that looks at an address; closed when the test is over. */
async function browse(t: TestContext, address: string): Promise<Page> {
  const { launch } = await import('puppeteer-core');
  const browser = await launch({
    executablePath: chromium ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    defaultViewport: { width: 1_100, height: 1_150 },
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(address);
  return page;
}

/** Waits until the page shows a text. */
async function sees(page: Page, text: string): Promise<void> {
  await page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(text)})`, {
    timeout: 180_000,
  });
}

function fillBoard(verbs: FakeVerbs): void {
  verbs.load = loadSamples(120, boardTimeMs);
  verbs.records = [
    {
      sequence: 1,
      atMs: boardTimeMs - 900_000,
      kind: 'restart',
      subject: 'edgecore',
      reason: 'CrashLoop',
      message: 'edgecore ended 5 times in 60 s: certificate has expired',
      bootId: 'b',
    },
  ];
  verbs.board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  verbs.board.set('CloudConnected', 'false', {
    reason: 'EdgecoreDown',
    message: 'edgecore does not run, so nobody speaks to the cloud for this node',
    causedBy: 'EdgecoreReady',
  });
  verbs.board.set('EdgecoreReady', 'false', { reason: 'CrashLoop', message: '<img src=x onerror=alert(1)>' });
}

test('a real browser shows the board, follows its changes, and runs nothing that a unit printed', async (t) => {
  if (chromium === undefined) return t.skip('chromium is not here: apt-get install chromium');
  const { address, verbs } = await show(t);
  fillBoard(verbs);
  const page = await browse(t, address);
  await sees(page, 'CrashLoop: <img src=x onerror=alert(1)>');
  await sees(page, 'certificate has expired');
  await sees(page, 'because of that: CloudConnected');
  await page.waitForFunction('document.querySelectorAll("polyline").length >= 5');
  verbs.setUnit('dockerd', { phase: 'failed', reason: 'ProbeFailed', message: 'no answer for 30 s' });
  verbs.board.record('unit.ended', { unit: 'dockerd', code: 137 });
  await sees(page, 'ProbeFailed: no answer for 30 s');
  await sees(page, 'unit=dockerd code=137');
  assert.equal(await page.evaluate('document.querySelectorAll("img").length'), 0);
  assert.equal(await page.evaluate('document.getElementById("ready").textContent'), 'not ready');
  await mkdir(pictures, { recursive: true });
  const file = path.join(pictures, 'dashboard.png') as `${string}.png`;
  const bytes = await page.screenshot({ path: file, fullPage: true });
  assert.ok(bytes.length > 20_000, `only ${bytes.length} bytes: an empty page`);
  t.diagnostic(`picture: ${file}`);
});

test('a page whose agent has gone says so', async (t) => {
  if (chromium === undefined) return t.skip('chromium is not here: apt-get install chromium');
  const { address, stopAgent } = await show(t);
  const page = await browse(t, address);
  await sees(page, 'dockerd');
  await stopAgent();
  await sees(page, 'Cannot reach the agent');
});
