import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { DashboardServer } from '../../agent/host/dashboard-server.ts';

test('a connection that the kernel fails to hand over does not end the dashboard', async (t) => {
  const created = t.mock.method(http, 'createServer');
  const dashboard = new DashboardServer('<html></html>', {
    watch: () => Promise.resolve('over'),
    samples: () => Promise.resolve({}),
    ledger: () => Promise.resolve({}),
  });
  const address = await dashboard.start(0);
  t.after(() => dashboard.stop());
  const server = created.mock.calls[0]?.result as http.Server;
  for (const _ of [1, 2]) server.emit('error', new Error('accept EMFILE'));
  const status = await new Promise((resolve) =>
    http.get(address, (response) => resolve(response.resume().statusCode)),
  );
  assert.equal(status, 200);
});
