import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { patience } from '../../fakes/patience.ts';
import { CloudLink } from '../edgecore/cloud-link.ts';
import { ask, type Certificates, certificateRequest } from '../edgecore/enrolment.ts';
import { newMessage } from '../message.ts';
import { CloudHub, type CloudHubOptions } from './cloudhub.ts';
import { isObject } from './merge.ts';
import { conditionOf } from './store.ts';

async function withCloud(options: CloudHubOptions, use: (cloud: CloudHub) => Promise<void>): Promise<void> {
  const cloud = await CloudHub.start(options);
  try {
    await use(cloud);
  } finally {
    await cloud.stop();
  }
}

async function enrol(cloud: CloudHub, nodeName: string, token = cloud.token()): Promise<Certificates> {
  const { requestDer, keyPem } = await certificateRequest(nodeName, 22);
  const base = `https://127.0.0.1:${cloud.enrolPort}`;
  const ca = await ask(`${base}/ca.crt`, { rejectUnauthorized: false });
  const caPem = new X509Certificate(ca.body).toString();
  const headers = { Authorization: `Bearer ${token.split('.').slice(1).join('.')}`, NodeName: nodeName };
  const answer = await ask(`${base}/edge.crt`, { ca: caPem, body: requestDer, headers });
  if (answer.code !== 200) throw new Error(`${answer.code} ${answer.body.toString()}`);
  return { caPem, certPem: new X509Certificate(answer.body).toString(), keyPem };
}

async function join(cloud: CloudHub, nodeId: string, certificates?: Certificates): Promise<CloudLink> {
  const own = certificates ?? (await enrol(cloud, nodeId));
  return CloudLink.connect({
    server: `127.0.0.1:${cloud.hubPort}`,
    projectId: 'p',
    nodeId,
    certificates: own,
  });
}

const insertNode = (name: string) =>
  newMessage(
    { source: 'edged', group: 'meta', operation: 'insert', resource: `default/node/${name}` },
    { metadata: { name, labels: { a: 'b' } }, status: {} },
  );

const patchNode = (name: string, conditions: readonly unknown[]) =>
  newMessage(
    { source: 'edged', group: 'meta', operation: 'patch', resource: `default/nodepatch/${name}` },
    JSON.stringify({ status: { conditions } }),
  );

test('the stand-in hands out certificates that its own WebSocket accepts', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    await cloud.store.until(() => (cloud.nodes().includes('n1') ? true : undefined), patience());
    assert.deepEqual(cloud.issued, ['n1']);
    link.end();
    await cloud.store.until(() => (cloud.nodes().length === 0 ? true : undefined), patience());
  });
});

test('a token of another authority, a broken one and an expired one are refused with a reason from 1.18 on', async () => {
  await withCloud({ version: '1.22.1' }, async (cloud) => {
    await assert.rejects(
      enrol(cloud, 'n1', cloud.token(-1000)),
      /401 token validation failure, err: Token is expired/,
    );
    await assert.rejects(enrol(cloud, 'n1', `${cloud.authority.caHash()}.a.b.c`), /signature is invalid/);
    await assert.rejects(enrol(cloud, 'n1', 'nonsense'), /401 token validation failure/);
  });
  await withCloud({ version: '1.12.6' }, async (cloud) => {
    await assert.rejects(enrol(cloud, 'n1', cloud.token(-1000)), /400 Invalid authorization token/);
  });
});

test('a token is the hash of the authority and three parts of a JWT', async () => {
  await withCloud({}, async (cloud) => {
    const parts = cloud.token().split('.');
    assert.equal(parts.length, 4);
    assert.match(parts[0] ?? '', /^[0-9a-f]{64}$/);
  });
});

test('a request whose signature does not fit its key gets no certificate', async () => {
  await withCloud({}, async (cloud) => {
    const { requestDer } = await certificateRequest('n1', 22);
    const last = requestDer.length - 1;
    requestDer[last] = (requestDer[last] ?? 0) ^ 1;
    await assert.rejects(cloud.authority.signRequest(requestDer, { fromMs: 0, untilMs: 1000 }));
  });
});

test('the certificate names what the request named, whatever the node said its name was', async () => {
  await withCloud({}, async (cloud) => {
    const { requestDer } = await certificateRequest('somebody-else', 22);
    const der = await cloud.authority.signRequest(requestDer, { fromMs: -1000, untilMs: 1000 });
    assert.deepEqual(new X509Certificate(der).subject.split('\n'), [
      'O=system:nodes',
      'CN=system:node:somebody-else',
    ]);
  });
});

test('a client certificate renews itself without a token, under its own name only from 1.16 on', async () => {
  await withCloud({}, async (cloud) => {
    const { caPem, certPem, keyPem } = await enrol(cloud, 'n1');
    const { requestDer } = await certificateRequest('n1', 22);
    const renew = (nodeName: string) =>
      ask(`https://127.0.0.1:${cloud.enrolPort}/edge.crt`, {
        ca: caPem,
        cert: certPem,
        key: keyPem,
        body: requestDer,
        headers: { NodeName: nodeName },
      });
    assert.equal((await renew('n1')).code, 200);
    const refused = await renew('n2');
    assert.equal(refused.code, 401);
    assert.match(refused.body.toString(), /request node name is not match/);
  });
});

test('GET /node/<name> tells from 1.20 on whether a node exists', async () => {
  await withCloud({ version: '1.20.0' }, async (cloud) => {
    const url = `https://127.0.0.1:${cloud.enrolPort}/node/n1`;
    assert.equal((await ask(url, { ca: cloud.authority.caPem })).code, 404);
    cloud.store.put('node', { namespace: '', name: 'n1' }, {});
    const found = await ask(url, { ca: cloud.authority.caPem });
    assert.deepEqual([found.code, found.body.toString()], [200, 'Node founded']);
  });
});

test('a connection without a client certificate is refused by TLS', async () => {
  await withCloud({}, async (cloud) => {
    const call = request({
      host: '127.0.0.1',
      port: cloud.hubPort,
      ca: cloud.authority.caPem,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket' },
    });
    call.end();
    const [error] = (await once(call, 'error')) as [NodeJS.ErrnoException];
    assert.match(error.code ?? '', /CERTIFICATE_REQUIRED|ECONNRESET|EPIPE/);
  });
});

test('a certificate of another authority is refused by TLS', async () => {
  await withCloud({}, async (cloud) => {
    await withCloud({}, async (other) => {
      const foreign = await enrol(other, 'n1');
      await assert.rejects(join(cloud, 'n1', { ...foreign, caPem: cloud.authority.caPem }));
    });
  });
});

test('an Origin header is answered with 403', async () => {
  await withCloud({}, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const target = { server: `127.0.0.1:${cloud.hubPort}`, projectId: 'p', nodeId: 'n1', certificates };
    await assert.rejects(CloudLink.connect({ ...target, headers: { Origin: 'https://elsewhere' } }), /403/);
  });
});

test('a node registers once, the second time it is told that it exists', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    const first = await link.ask(insertNode('n1'), patience());
    assert.deepEqual(
      [first.route.source, first.route.operation, first.route.resource],
      ['edgecontroller', 'response', 'default/node/n1'],
    );
    const again = await link.ask(insertNode('n1'), patience());
    assert.ok(isObject(again.content) && isObject(again.content['Err']));
    assert.deepEqual((again.content['Err']['ErrStatus'] as { reason: string }).reason, 'AlreadyExists');
    link.end();
  });
});

test('nodepatch merges conditions by type and leaves those of others alone', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    await link.ask(insertNode('n1'), patience());
    await link.ask(patchNode('n1', [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }]), patience());
    await link.ask(patchNode('n1', [{ type: 'EdgecoreReady', status: 'False' }]), patience());
    const reply = await link.ask(patchNode('n1', [{ type: 'Ready', status: 'False' }]), patience());
    const node = cloud.store.get('node', { namespace: '', name: 'n1' });
    assert.deepEqual(conditionOf(node, 'Ready'), { type: 'Ready', status: 'False', reason: 'KubeletReady' });
    assert.deepEqual(conditionOf(node, 'EdgecoreReady'), { type: 'EdgecoreReady', status: 'False' });
    assert.equal((reply.content as { Err: unknown }).Err, null);
    link.end();
  });
});

test('1.11 keeps silent to a nodepatch, which came with 1.12', async () => {
  await withCloud({ version: '1.11.2' }, async (cloud) => {
    const link = await join(cloud, 'n1');
    cloud.store.put('node', { namespace: '', name: 'n1' }, {});
    await assert.rejects(link.ask(patchNode('n1', [{ type: 'X' }]), AbortSignal.timeout(200)), /timeout/i);
    link.end();
  });
});

test('a query for a node that does not exist is answered from 1.13 on only', async () => {
  const query = newMessage(
    { source: 'edged', group: 'meta', operation: 'query', resource: 'default/node/n9' },
    null,
  );
  await withCloud({ version: '1.13.0' }, async (cloud) => {
    const link = await join(cloud, 'n1');
    const reply = await link.ask(query, patience());
    assert.equal((reply.content as { ErrStatus: { code: number } }).ErrStatus.code, 404);
    link.end();
  });
  await withCloud({ version: '1.12.6' }, async (cloud) => {
    const link = await join(cloud, 'n1');
    await assert.rejects(link.ask(query, AbortSignal.timeout(200)), /timeout/i);
    link.end();
  });
});

test('a lease is inserted, updated and queried', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    const lease = (operation: string, content: unknown) =>
      newMessage(
        { source: 'edged', group: 'meta', operation, resource: 'kube-node-lease/lease/n1' },
        content,
      );
    const missing = await link.ask(lease('query', null), patience());
    assert.ok(isObject((missing.content as { Err: unknown }).Err));
    await link.ask(lease('insert', { spec: { holderIdentity: 'n1' } }), patience());
    const updated = await link.ask(
      lease('update', { spec: { holderIdentity: 'n1', renewTime: 'x' } }),
      patience(),
    );
    assert.equal((updated.content as { Object: { spec: { renewTime: string } } }).Object.spec.renewTime, 'x');
    link.end();
  });
});

test('the newest session of a node id wins and the older one is cut without a word', async () => {
  await withCloud({}, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const older = await join(cloud, 'n1', certificates);
    const closed = older.closed();
    const newer = await join(cloud, 'n1', certificates);
    assert.equal(await closed, 1006);
    assert.deepEqual(cloud.nodes(), ['n1']);
    newer.end();
  });
});

test('a session without keepalives is cut, other traffic does not count', async () => {
  await withCloud({ times: { keepaliveMs: 150 } }, async (cloud) => {
    const link = await join(cloud, 'n1');
    await link.ask(insertNode('n1'), patience());
    assert.equal(await link.closed(), 1006);
  });
});

test('without ConnectionUse the cloud speaks and never listens', async () => {
  await withCloud({}, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const target = { server: `127.0.0.1:${cloud.hubPort}`, projectId: 'p', nodeId: 'n1', certificates };
    const link = await CloudLink.connect({ ...target, connectionUse: '' });
    await assert.rejects(link.ask(insertNode('n1'), AbortSignal.timeout(200)), /timeout/i);
    link.end();
  });
});

test('a header that is there several times counts with its first value, as edgecore sends it after failed dials', async () => {
  await withCloud({}, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const target = { server: `127.0.0.1:${cloud.hubPort}`, projectId: 'p', nodeId: 'n1', certificates };
    const link = await CloudLink.connect({ ...target, headers: { ConnectionUse: ['msg', 'msg', 'msg'] } });
    assert.equal((await link.ask(insertNode('n1'), patience())).route.operation, 'response');
    link.end();
  });
});

test('a pod is sent again until it is acknowledged', async () => {
  await withCloud({ times: { resendMs: 30 } }, async (cloud) => {
    const link = await join(cloud, 'n1');
    let times = 0;
    const acknowledged = new Promise<void>((resolve) => {
      link.onMessage((message) => {
        times += 1;
        if (times < 3) return;
        link.acknowledge(message);
        resolve();
      });
    });
    cloud.addPod('n1', { metadata: { namespace: 'default', name: 'p1' }, spec: {} });
    await acknowledged;
    assert.equal(times, 3);
    link.end();
  });
});

test('enforced authorization serves only the node whose name is in the one certificate', async () => {
  await withCloud({ isEnforced: true }, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const target = { server: `127.0.0.1:${cloud.hubPort}`, projectId: 'p', certificates };
    const own = await CloudLink.connect({ ...target, nodeId: 'n1' });
    assert.equal((await own.ask(insertNode('n1'), patience())).route.operation, 'response');
    const foreign = await own.ask(patchNode('n2', []), patience());
    assert.match(JSON.stringify(foreign.content), /Forbidden/);
    own.end();
    const other = await CloudLink.connect({ ...target, nodeId: 'n1-agent' });
    await assert.rejects(other.ask(patchNode('n1', []), AbortSignal.timeout(200)), /timeout/i);
    other.end();
    const chain = await CloudLink.connect({ ...target, nodeId: 'n1', sendsChain: true });
    await assert.rejects(chain.ask(patchNode('n1', []), AbortSignal.timeout(200)), /timeout/i);
    chain.end();
  });
});

test('an event is written from 1.19 on and refused under enforced authorization', async () => {
  const event = newMessage(
    { source: 'edged', group: 'meta', operation: 'insert', resource: 'default/event/e1' },
    { reason: 'R', message: 'm' },
  );
  const eventsOf = async (options: CloudHubOptions): Promise<number> => {
    let count = -1;
    await withCloud(options, async (cloud) => {
      const link = await join(cloud, 'n1');
      link.send(event);
      await link.ask(insertNode('n1'), patience());
      count = cloud.store.list('event').length;
      link.end();
    });
    return count;
  };
  assert.equal(await eventsOf({ version: '1.19.0' }), 1);
  assert.equal(await eventsOf({ version: '1.18.0' }), 0);
  assert.equal(await eventsOf({ version: '1.22.1', isEnforced: true }), 0);
});

test('over the node limit the connection stays open and is not served', async () => {
  await withCloud({ nodeLimit: 1 }, async (cloud) => {
    const certificates = await enrol(cloud, 'n1');
    const first = await join(cloud, 'n1', certificates);
    const second = await join(cloud, 'n2', certificates);
    await assert.rejects(second.ask(insertNode('n2'), AbortSignal.timeout(200)), /timeout/i);
    assert.deepEqual(cloud.nodes(), ['n1']);
    first.end();
    second.end();
  });
});

test('ping is answered by the transport', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    const reply = await link.ask(
      newMessage({ source: 'x', operation: 'ping', resource: 'r' }, null),
      patience(),
    );
    assert.equal(reply.content, 'ack');
    link.end();
  });
});

test('faults: closed ports refuse, and are back when the fault ends', async () => {
  await withCloud({}, async (cloud) => {
    await cloud.setFaults({ enrol: 'refuse', hub: 'refuse' });
    for (const port of [cloud.enrolPort, cloud.hubPort]) {
      const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
    }
    await cloud.setFaults({});
    (await join(cloud, 'n1')).end();
  });
});

test('faults: an expired certificate, an expired server, a server of another name', async () => {
  await withCloud({}, async (cloud) => {
    await cloud.setFaults({ issue: 'expired' });
    const { certPem } = await enrol(cloud, 'n1');
    assert.ok(Date.parse(new X509Certificate(certPem).validTo) < Date.now());
    await cloud.setFaults({ server: 'expired' });
    await assert.rejects(enrol(cloud, 'n1'), { code: 'CERT_HAS_EXPIRED' });
    await cloud.setFaults({ server: 'wrong-name' });
    await assert.rejects(enrol(cloud, 'n1'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  });
});

test('faults: a session is dropped after its keepalive', async () => {
  await withCloud({}, async (cloud) => {
    await cloud.setFaults({ hub: 'drop' });
    const link = await join(cloud, 'n1');
    link.keepAlive();
    assert.equal(await link.closed(), 1006);
  });
});

test('a Device made while its node is connected reaches it once, twin reports come back', async () => {
  await withCloud({}, async (cloud) => {
    const link = await join(cloud, 'n1');
    const told = new Promise<string>((resolve) => {
      link.onMessage((message) => resolve(JSON.stringify([message.route, message.content])));
    });
    await cloud.store.until(() => (cloud.nodes().length === 1 ? true : undefined), patience());
    cloud.devices.add({ namespace: 'default', name: 'n1-agent', nodeName: 'n1', properties: ['state'] });
    assert.match(await told, /"membership".*"added_devices":\[\{"id":"default\/n1-agent"/);
    const report = (value: string) =>
      newMessage(
        {
          source: 'twin',
          group: 'resource',
          operation: 'update',
          resource: 'device/default/n1-agent/twin/edge_updated',
        },
        { twin: { state: { actual: { value } }, other: { actual: { value } } } },
      );
    await link.ask(report('up'), patience());
    assert.deepEqual(cloud.devices.get('default/n1-agent')?.reported, { state: '' });
    await link.ask(report('up'), patience());
    assert.deepEqual(cloud.devices.get('default/n1-agent')?.reported, { state: 'up' });
    link.end();
  });
});
