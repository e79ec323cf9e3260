import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { packTar, type LayerEntry } from '../support/image-builder.ts';
import { formatRequest, openRaw } from '../support/raw-http.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks on HTTP itself, on verbs other than create, and through archives of images.

const score = createScorecard('attacks on the edge');
const JSON_TYPE = 'Content-Type: application/json\r\n';
const CREATE = '{"Image":"app"}';
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

/** Status of the first answer; 0 where the connection is closed without one. */
async function statusOf(bytes: Buffer | string): Promise<number> {
  const connection = await openRaw(fake.app.socketPath);
  try {
    connection.send(bytes);
    return (await connection.readHead()).status;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('the connection ended')) return 0;
    throw error;
  } finally {
    connection.close();
  }
}

async function expectAlive(): Promise<void> {
  expect((await fake.api.get('/_ping')).status).toBe(200);
  expect(fake.job.containers.all()).toEqual([]);
}

const post = (headers: string, body: string): string =>
  `POST /containers/create HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}${headers}\r\n${body}`;
const withLength = (body: string): string => post(`Content-Length: ${Buffer.byteLength(body)}\r\n`, body);

describe('requests that are not what they seem', () => {
  it.each<[string, string, readonly number[]]>([
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: x\r\n\r\n', [405, 400]],
    ['PATCH', 'PATCH /containers/x HTTP/1.1\r\nHost: x\r\n\r\n', [405]],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', [405]],
    ['a method in lower case', 'get /_ping HTTP/1.1\r\nHost: x\r\n\r\n', [400, 405]],
    ['HTTP/2 at once', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [0, 400, 405]],
    ['absolute form', 'GET http://node/_ping HTTP/1.1\r\nHost: x\r\n\r\n', [400, 404]],
    ['a packed body', post('Content-Encoding: gzip\r\nContent-Length: 2\r\n', 'xx'), [415]],
    ['no length', post('', CREATE), [400]],
    ['length 0 and a body', post('Content-Length: 0\r\n', CREATE), [400]],
    ['length and chunks', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), [400]],
    ['two lengths', post('Content-Length: 2\r\nContent-Length: 15\r\n', CREATE), [400]],
    [
      'chunks of another coding',
      post('Transfer-Encoding: gzip, chunked\r\n', `${CREATE.length.toString(16)}\r\n${CREATE}\r\n0\r\n\r\n`),
      [400],
    ],
    ['chunks that are none', post('Transfer-Encoding: chunked, identity\r\n', CREATE), [400, 501]],
    ['a bare LF', `POST /containers/create HTTP/1.1\nHost: x\n${JSON_TYPE}\n`, [0, 400]],
    ['garbage after', withLength(`${CREATE}x`), [400]],
    ['two documents', withLength(`${CREATE}${CREATE}`), [400]],
    ['a comment', withLength('{"Image":"app"/**/}'), [400]],
    ['NaN', withLength('{"Image":"app","HostConfig":{"Memory":NaN}}'), [400]],
    ['a lone surrogate', withLength('{"Image":"\\ud800"}'), [400, 404]],
    ['a very deep document', withLength(`{"Image":"app","x":${'['.repeat(100_000)}`), [400]],
    ['a large document', withLength(`{"Image":"app","x":"${'x'.repeat(5 << 20)}"}`), [413]],
    [
      'a content type of a form',
      `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\n${CREATE}`,
      [400],
    ],
    ['a web page', 'GET /_ping HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n\r\n', [403]],
    ['a browser', 'GET /_ping HTTP/1.1\r\nHost: x\r\nSec-Fetch-Mode: cors\r\n\r\n', [403]],
  ])('%s', (_name, bytes, statuses) =>
    score.row(async () => {
      expect(statuses).toContain(await statusOf(bytes));
      await expectAlive();
    }),
  );

  it('a million keys are read in bounded time, or refused', () =>
    score.row(async () => {
      const keys = Array.from({ length: 300_000 }, (_, index) => `"k${index}":0`).join(',');
      expect([201, 400, 413]).toContain(await statusOf(withLength(`{"Image":"app",${keys}}`)));
      expect((await fake.api.get('/_ping')).status).toBe(200);
    }));

  it('a request behind a hijacked one is input, no request', () =>
    score.row(async () => {
      await fake.api.post('/containers/create?name=target', { Image: 'app', OpenStdin: true });
      const second = formatRequest({ method: 'DELETE', path: '/containers/target?force=1' });
      const connection = await openRaw(fake.app.socketPath);
      const attach = { method: 'POST', path: '/containers/target/attach?stream=1&stdin=1' };
      connection.send(Buffer.concat([formatRequest(attach), second]));
      expect((await connection.readHead()).status).toBe(200);
      expect((await fake.api.get('/containers/target/json')).status).toBe(200);
      connection.close();
    }));
});

describe('queries and references', () => {
  it.each<[string, string, readonly number[]]>([
    ['an array', 'GET /containers/json?all[]=1&all[toString]=x', [200, 400]],
    ['broken filters', 'GET /containers/json?filters={"name":', [400]],
    ['an inherited filter', 'GET /containers/json?filters={"__proto__":["x"]}', [400]],
    ['a star', 'POST /containers/*/start', [404, 400]],
    ['NUL', 'POST /containers/a%00b/start', [400, 404]],
    ['a path as id', 'GET /containers/..%2f..%2fetc/json', [301, 400, 404]],
    ['stop in the past', 'POST /containers/none/stop?t=-5', [404]],
    ['stop at no time', 'POST /containers/none/stop?t=abc', [400, 404]],
    ['a huge terminal', 'POST /containers/none/resize?h=99999999&w=-1', [400, 404]],
    ['an update', 'POST /containers/none/update', [400, 403, 404, 501]],
    ['a commit', 'POST /commit?container=x&changes=USER+root', [404]],
    ['a URL as image', 'POST /images/create?fromImage=http://evil/x', [400]],
    ['credentials in an image', 'POST /images/create?fromImage=user:pass@host/x', [400]],
    ['an image that climbs', 'POST /images/create?fromImage=a/../../b', [400]],
    ['NUL in an image', 'POST /images/create?fromImage=a%00b', [400]],
    ['a long image', `POST /images/create?fromImage=${'a'.repeat(10_000)}`, [400]],
    ['fromSrc of a URL', 'POST /images/create?fromSrc=http://169.254.169.254/', [400, 403, 501]],
    ['a tag of blanks', 'POST /images/app/tag?repo=a+b', [400]],
    ['a plugin', 'POST /plugins/pull?remote=evil', [403, 404, 501]],
    ['a swarm', 'POST /swarm/init', [503]],
    ['profiles', 'GET /debug/pprof/', [404]],
    ['a checkpoint', 'POST /containers/none/checkpoints', [404, 501]],
  ])('%s', (_name, target, statuses) =>
    score.row(async () => {
      const [method = '', path = ''] = target.split(' ');
      const before = fake.registryCalls();
      const body = path.endsWith('update') ? CREATE : '';
      const headers = { 'Content-Type': 'application/json' };
      const bytes = formatRequest({ method, path: encodeURI(path).replaceAll('%25', '%'), headers, body });
      expect(statuses).toContain(await statusOf(bytes));
      expect(fake.registryCalls()).toBe(before);
      await expectAlive();
    }),
  );

  it('of two names the first one counts, as in dockerd', () =>
    score.row(async () => {
      await fake.api.post('/containers/create?name=one&name=two', { Image: 'app' });
      expect(fake.job.containers.list().map(({ record }) => record.name)).toEqual(['one']);
    }));

  it('names and errors cannot break out of headers or lines', () =>
    score.row(async () => {
      const { status, message, headers } = await fake.api.get('/containers/a%0d%0aSet-Cookie:%20x/json');
      expect(status).toBe(404);
      expect(headers.has('set-cookie')).toBe(false);
      expect(message).toContain('No such container');
    }));
});

describe('an update in the place of a create', () => {
  it.each<[string, string]>([
    ['Privileged', '{"Privileged":true}'],
    ['CapAdd', '{"CapAdd":["ALL"]}'],
    ['SecurityOpt', '{"SecurityOpt":["seccomp=unconfined"]}'],
    ['a device', '{"Devices":[{"PathOnHost":"/dev/mem","PathInContainer":"/dev/mem"}]}'],
    ['a device rule', '{"DeviceCgroupRules":["a *:* rwm"]}'],
    ['a bind', '{"Binds":["/:/host"]}'],
    ['OomKillDisable', '{"OomKillDisable":true}'],
    ['a disk by its path', '{"BlkioDeviceReadBps":[{"Path":"/dev/sda","Rate":1}]}'],
    ['real-time scheduling', '{"CpuRealtimeRuntime":1000}'],
    ['negative memory', '{"Memory":-5}'],
    ['processors that are not there', '{"CpusetCpus":"0-100000"}'],
    ['a policy that is none', '{"RestartPolicy":{"Name":"evil"}}'],
    ['Memory twice', '{"Memory":0,"Memory":8388608}'],
  ])('%s', (_name, body) =>
    score.row(async () => {
      await fake.api.post('/containers/create?name=target', { Image: 'app' });
      const before = await fake.api.get('/containers/target/json');
      const calls = fake.containerd.totalCalls();
      const { status, message } = await fake.api.post('/containers/target/update', body);
      expect([400, 403], message).toContain(status);
      const after = await fake.api.get('/containers/target/json');
      expect(after.body).toEqual(before.body);
      expect(fake.containerd.totalCalls()).toBe(calls);
    }),
  );
});

describe('an update that asks for what it cannot have', () => {
  it.each<[string, string]>([
    ['an inner HostConfig', '{"HostConfig":{"Privileged":true}}'],
    ['another cgroup', '{"CgroupParent":"/"}'],
  ])('%s changes nothing, and says so', (_name, body) =>
    score.row(async () => {
      await fake.api.post('/containers/create?name=target', { Image: 'app' });
      const before = await fake.api.get('/containers/target/json');
      const answer = await fake.api.post('/containers/target/update', body);
      expect([200, 400, 403]).toContain(answer.status);
      if (answer.status === 200)
        expect((answer.body as { readonly Warnings: readonly string[] }).Warnings).not.toEqual([]);
      expect((await fake.api.get('/containers/target/json')).body).toEqual(before.body);
    }),
  );
});

const LAYER: LayerEntry = { path: 'layer.tar', type: 'file', content: Buffer.alloc(1024) };
const manifest = (fields: object): LayerEntry => ({
  path: 'manifest.json',
  type: 'file',
  content: JSON.stringify([
    { Config: 'c.json', RepoTags: ['evil:latest'], Layers: ['layer.tar'], ...fields },
  ]),
});

describe('archives of images', () => {
  it.each<[string, readonly LayerEntry[]]>([
    ['a configuration outside', [LAYER, manifest({ Config: '../../../etc/passwd' })]],
    ['a layer outside', [manifest({ Layers: ['/etc/passwd'] })]],
    [
      'a layer that is a link to the machine',
      [{ path: 'layer.tar', type: 'symlink', target: '/etc/passwd' }, manifest({})],
    ],
    ['a manifest that is a link', [LAYER, { path: 'manifest.json', type: 'symlink', target: '/etc/passwd' }]],
    ['a configuration that is none', [LAYER, { path: 'c.json', type: 'file', content: '[]' }, manifest({})]],
    [
      'layers that the configuration does not name',
      [
        LAYER,
        {
          path: 'c.json',
          type: 'file',
          content: '{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}',
        },
        manifest({}),
      ],
    ],
    ['a manifest of the wrong shape', [{ path: 'manifest.json', type: 'file', content: '{"a":1}' }]],
    ['no manifest', [LAYER]],
    ['a name that climbs', [LAYER, manifest({ RepoTags: ['../../x:latest'] })]],
  ])('%s', (_name, entries) =>
    score.row(async () => {
      const tar = await packTar(entries);
      const bytes = formatRequest({
        method: 'POST',
        path: '/images/load?quiet=1',
        headers: { 'Content-Type': 'application/x-tar' },
        body: tar,
      });
      const connection = await openRaw(fake.app.socketPath);
      connection.send(bytes);
      const { status, body } = await connection.readResponse();
      connection.close();
      expect(status >= 400 || body.toString().includes('errorDetail'), body.toString()).toBe(true);
      expect(body.toString()).not.toMatch(/root:x:0|\.ts:\d/);
      expect(fake.job.images.list()).toHaveLength(1);
      expect((await fake.job.store.leases.list()).map(({ id }) => id)).toEqual(['berth-job']);
    }),
  );
});
