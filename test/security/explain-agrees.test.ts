import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/engine/containers/explain-create.ts';
import { explainInJob } from '../../src/job/explain.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { formatRequest, rawHttp } from '../support/raw-http.ts';
import { createRandom, fields, SEED_SHIFT } from '../support/seeded-random.ts';

// What explains a request and what serves it say the same: a refusal by what the request says is one by `explain` too,
// and the other way round; and each is written down.

let fake: FakeJob;
/** Of the container, whatever it is called. */
let id: string;

beforeAll(async () => {
  fake = await startFakeJob();
});
beforeEach(async () => {
  const { status, message, body } = await fake.api.post('/containers/create?name=runs', {
    Image: 'app',
    Cmd: ['signals'],
  });
  expect(status, message).toBe(201);
  ({ Id: id } = body as { readonly Id: string });
  await fake.api.post('/containers/runs/start');
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

function namesOf(file: string): Readonly<Record<string, readonly string[]>> {
  const path = resolve(import.meta.dirname, '../support', file);
  return JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, readonly string[]>>;
}

interface Answer {
  readonly status: number;
  readonly message: string;
  /** Lines of refusals in the audit. */
  readonly refused: number;
}

async function serve(request: string, body: string, version = '1.51'): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const before = fake.decisions.length;
  const headers = { 'Content-Type': path.startsWith('/build?') ? 'application/x-tar' : 'application/json' };
  const bytes = formatRequest({ method, path: `/v${version}${path}`, headers, body });
  const { status, body: answer } = await rawHttp(fake.app.socketPath, bytes, { method, timeoutMs: 20_000 });
  const text = answer.toString();
  const refused = fake.decisions.slice(before).filter(({ verdict }) => verdict === 'refused').length;
  return { status, message: /"message":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text, refused };
}

function explain(request: string, body: string, version = '1.51'): Promise<Explanation> {
  return explainInJob(fake.job, { request, body: Buffer.from(body), apiVersion: version });
}

/** Both, of one request; what differs is an answer that the other does not give. */
async function compare(request: string, body = '', version = '1.51'): Promise<void> {
  const { admitted, refusal, fields: judged } = await explain(request, body, version);
  const { status, message, refused } = await serve(request, body, version);
  const what = `${request} ${body}: ${status} ${message}, explained: ${JSON.stringify(refusal ?? judged)}`;
  expect(admitted, what).toBe(refused === 0);
  // A build's context comes after all that its request says; ps has the last word about its own options.
  const isLater = request.startsWith('POST /build') || message.startsWith('ps: error: conflicting');
  if (status === 501 || (status === 400 && !isLater)) expect(refused, what).toBeGreaterThan(0);
}

const TEXTS: readonly string[] = [
  '', '0', '1', '-1', 'true', 'x', 'app', 'app:latest', 'runs', '1e9', '99999999999999999999', '../..', '/etc/passwd',
  '::', 'a@b', 'app@sha256:x', 'BAD', `sha256:${'a'.repeat(64)}`, 'a'.repeat(64), 'SIGKILL', 'KILL+1', '{"a":',
  '{"label":["x"]}', '[]', 'null', '{"__proto__":["x"]}', '{"until":["x"]}', '{"dangling":["x"]}', '{"status":["x"]}',
  '{"os":"linux","architecture":"amd64"}', '{"os":1}', 'ü', ' ', 'http://169.254.169.254/', 'linux/amd64', 'a/b/c/d',
  'CMD ["x"]', 'ENV A', 'RUN x', 'ctrl-p,ctrl-q', 'ctrl-', '-ef', '-o pid=PID', '-Q', 'y'.repeat(300),
]; // prettier-ignore

/** Answers without an end; a look at files comes first; and what would take the image away. */
const LEFT_OUT = /\/(?:events|logs|stats|attach|attach\/ws|wait)$|\/archive$|^DELETE \/images/;
const REFUSED_WHOLE =
  /^\w+ \/(?:configs|nodes|secrets|services|swarm|tasks)(?:\/|$)|^PUT \/volumes|\/attestations$|\/search$|\/plugins\/\{name\}/;

describe('the same verdict', { timeout: 120_000 }, () => {
  const endpoints = Object.entries(namesOf('api-queries.json')).filter(([name]) => !LEFT_OUT.test(name));

  it.each(endpoints.filter(([name]) => REFUSED_WHOLE.test(name)))(
    'on %s, which is refused whole',
    async (name) => {
      const request = name.replaceAll(/\{\w+\}/g, 'runs');
      expect((await explain(request, '')).admitted).toBe(false);
      expect((await serve(request, '')).status).toBeGreaterThanOrEqual(400);
    },
  );

  it.each(endpoints.filter(([name]) => !REFUSED_WHOLE.test(name)))(
    'on every parameter of %s',
    async (name, parameters) => {
      const at = name.replace('{name}', 'app').replace('{id}', id);
      for (const parameter of parameters)
        for (const text of TEXTS) await compare(`${at}?${parameter}=${encodeURIComponent(text)}`);
    },
  );

  // Fine values of these would have the walk wait for ever.
  it.each([
    'POST /containers/runs/wait?condition=x',
    'GET /containers/runs/logs?stdout=1&since=x',
    'GET /containers/runs/logs?stdout=1&until=1e9',
    'GET /events?since=x',
    'GET /events?filters=x',
    'POST /containers/runs/attach?stream=1&stdout=1&detachKeys=ctrl-',
    'GET /containers/runs/archive',
    'GET /images/BAD/json',
    'DELETE /images/a@b',
    'DELETE /images/app?platforms=x',
    'DELETE /images/app?platforms=%7B%22os%22%3A1%7D',
    'GET /distribution/BAD/json',
  ])('on %s', async (request) => {
    expect((await explain(request, '')).admitted).toBe(false);
    await compare(request);
  });

  it.each<[string, object]>([
    ['POST /containers/create?name=%2F', { Image: 'app' }],
    ['POST /containers/create', { Image: 'BAD' }],
    ['POST /containers/create', { Image: 'app@x' }],
    ['POST /containers/create?platform=a/b/c/d', { Image: 'app' }],
    ['POST /volumes/create', { Name: '../x' }],
    ['POST /volumes/create', { Name: 'v' }],
    ['POST /auth', { serveraddress: 'file:///etc' }],
    ['POST /exec/x/start', { Detach: 'yes' }],
    ['POST /containers/runs/start', { Binds: ['/:/host'] }],
    ['POST /build?t=a@sha256:x', {}],
    ['POST /build?t=BAD', {}],
  ])('on %s of %j', async (request, body) => {
    expect((await explain(request, JSON.stringify(body))).admitted).toBe(false);
    await compare(request, JSON.stringify(body));
  });

  it.each(['1.31', '1.41', '1.51'])('on what newer versions look at, in %s', async (version) => {
    for (const request of [
      `POST /containers/${id}/stop?signal=x`,
      `POST /containers/${id}/restart?signal=x`,
      'POST /images/create?fromImage=app&platform=a/b/c/d',
      'POST /images/app/push?platform=x',
      'GET /images/app/json?platform=x',
      'GET /system/df?type=x',
      'DELETE /images/none?platforms=x',
      'POST /volumes/prune?filters={"all":["x"]}',
      'POST /build/prune?keep-storage=x',
    ])
      await compare(request, '', version);
    await compare('POST /containers/create?platform=a/b/c/d', '{"Image":"app"}', version);
  });

  it('on a commit that takes the program away: an image needs none', async () => {
    const body = JSON.stringify({ Entrypoint: [''] });
    expect((await serve('POST /commit?container=runs', body)).status).toBe(201);
    await compare('POST /commit?container=runs', body);
  });

  const BODIES: readonly (readonly [
    kind: string,
    path: string,
    besides: Readonly<Record<string, unknown>>,
  ])[] = [
    ['create', '/containers/create', { Image: 'app' }],
    ['HostConfig', '/containers/create', { Image: 'app' }],
    ['update', '/containers/runs/update', {}],
    ['exec', '/containers/runs/exec', { Cmd: ['x'] }],
    ['volume create', '/volumes/create', {}],
    ['network create', '/networks/create', { Name: 'one' }],
    ['network connect', '/networks/bridge/connect', { Container: 'absent' }],
    ['network disconnect', '/networks/none/disconnect', { Container: 'absent' }],
    ['commit', '/commit?container=runs', {}],
    ['login', '/auth', { serveraddress: 'x.invalid' }],
  ];

  it.each(BODIES)('on members of %s', async (kind, path, besides) => {
    const random = createRandom(11 + SEED_SHIFT);
    const names = namesOf('api-fields.json')[kind] ?? [];
    for (let round = 0; round < 150; round += 1) {
      const some = fields(random, names, 2);
      const body = kind === 'HostConfig' ? { ...besides, HostConfig: some } : { ...besides, ...some };
      await compare(`POST ${path}`, JSON.stringify(body));
    }
  });
});
