import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OciSpec } from '../../src/oci/spec-types.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage, type BuiltImage } from '../support/image-builder.ts';
import { createScorecard } from '../support/scorecard.ts';

// Attacks through the configuration of an image: it comes from a registry or an archive, and is merged with a create
// that asks for nothing. What no request may ask for an image may not either, and neither gives what it does not say.

const score = createScorecard('attacks by the configuration of an image');
let fake: FakeJob;
let plain: BuiltImage;

beforeAll(async () => {
  fake = await startFakeJob();
  plain = await buildImage({
    base: 'scratch',
    layers: [[{ path: 'x', type: 'file', content: 'x' }]],
    cmd: ['/x'],
  });
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

type Document = Readonly<Record<string, unknown>> & { readonly config: object };

/** The image with another configuration, as bytes that a client loads. */
async function load(change: (document: Document) => unknown): Promise<number> {
  const bytes = Buffer.from(JSON.stringify(change(JSON.parse(plain.config.bytes.toString()) as Document)));
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const archive = await dockerArchive([
    { image: { ...plain, config: { digest, bytes } }, tags: ['hostile:latest'] },
  ]);
  await fake.api.delete('/images/hostile:latest?force=1');
  const connection = await fake.api.open('POST', '/images/load?quiet=1', {
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.length) },
  });
  connection.send(archive);
  const { status, body } = await connection.readResponse();
  connection.close();
  return body.includes('errorDetail') ? 400 : status;
}

const volumes = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`/v${index}`, {}]));

const withConfig =
  (more: object) =>
  (document: Document): object => ({ ...document, config: { ...document.config, ...more } });

const create = (body: object = {}): ReturnType<FakeJob['api']['post']> =>
  fake.api.post('/containers/create?name=attack', { Image: 'hostile', ...body });

async function specOf(id: string): Promise<OciSpec> {
  const { spec } = await fake.job.containerd.containers.get(id);
  return JSON.parse(Buffer.from(spec.value).toString()) as OciSpec;
}

describe('refused at the load or at the create, and nothing is left', () => {
  it.each<[string, object]>([
    ['a volume over /proc', { Volumes: { '/proc': {} } }],
    ['a volume over the root', { Volumes: { '/': {} } }],
    ['a volume by a detour', { Volumes: { '/a/../proc/sys': {} } }],
    ['a relative volume', { Volumes: { etc: {} } }],
    ['a user out of range', { User: '4294967296' }],
    ['a negative user', { User: '-1' }],
    ['a descriptor of the runtime', { WorkingDir: '/proc/self/fd/7' }],
    ['the same by a detour', { WorkingDir: '/x/../proc/thread-self/cwd' }],
    ['a signal that is none', { StopSignal: 'SIGZZ\nX' }],
    ['a health check without rest', { Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }],
    ['a port that is none', { ExposedPorts: { '99999/tcp': {} } }],
    ['an environment without a name', { Env: ['=x'] }],
    ['ten thousand volumes', { Volumes: volumes }],
    ['NUL in a command', { Cmd: ['/x\u0000'] }],
    ['NUL in the environment', { Env: ['A=\u0000'] }],
    ['a number as command', { Cmd: [1] }],
    ['an object as environment', { Env: { PATH: '/' } }],
    ['a list as user', { User: ['root'] }],
    ['a string as volumes', { Volumes: '/proc' }],
  ])('%s', (_name, more) =>
    score.row(async () => {
      const loaded = await load(withConfig(more));
      const { status, message } = loaded === 200 ? await create() : { status: loaded, message: '' };
      expect(status, message).toBeGreaterThanOrEqual(400);
      expect(status, message).not.toBe(500);
      expect(fake.job.containers.all()).toEqual([]);
      expect(fake.job.volumes.list()).toEqual([]);
    }),
  );
});

describe('without an effect', () => {
  it.each<[string, (document: Document) => object]>([
    [
      'a HostConfig beside it',
      (document) => ({ ...document, HostConfig: { Privileged: true, Binds: ['/:/h'] } }),
    ],
    [
      'a HostConfig in it',
      withConfig({ HostConfig: { Privileged: true, CapAdd: ['ALL'], PidMode: 'host' } }),
    ],
    [
      'members of a HostConfig',
      withConfig({ Privileged: true, CapAdd: ['ALL'], SecurityOpt: ['seccomp=unconfined'] }),
    ],
    ['members in lower case', withConfig({ privileged: true, hostconfig: { privileged: true } })],
    [
      'annotations and hooks',
      withConfig({ Annotations: { 'run.oci.hooks': 'x' }, hooks: { prestart: [{ path: '/x' }] } }),
    ],
    [
      'labels that mean something to others',
      withConfig({
        Labels: {
          privileged: 'true',
          'containerd.io/gc.root': 'x',
          'io.kubernetes.cri.sandbox-id': 'x',
          __proto__: 'x',
        },
      }),
    ],
    ['triggers', withConfig({ OnBuild: ['RUN --privileged rm -rf /', 'VOLUME /proc'] })],
    [
      'an environment for the runtime',
      withConfig({ Env: ['LD_PRELOAD=/x.so', '_LIBCONTAINER_INITPIPE=3', 'NOTIFY_SOCKET=/x'] }),
    ],
    ['the name of another container', withConfig({ Hostname: 'evil', Domainname: 'evil', Image: '../../x' })],
  ])('%s', (_name, change) =>
    score.row(async () => {
      await fake.api.delete('/containers/attack?force=1');
      const { status: plainStatus, body: plainBody } = await fake.api.post('/containers/create', {
        Image: 'app',
      });
      expect(plainStatus).toBe(201);
      expect(await load(change)).toBe(200);
      const { status, body, message } = await create();
      expect({ status, message }).toEqual({ status: 201, message: '' });
      const [spec, usual] = [
        await specOf((body as { readonly Id: string }).Id),
        await specOf((plainBody as { readonly Id: string }).Id),
      ];
      expect(spec.process.capabilities).toEqual(usual.process.capabilities);
      expect(spec.linux.seccomp).toEqual(usual.linux.seccomp);
      expect(spec.linux.maskedPaths).toEqual(usual.linux.maskedPaths);
      expect(spec.linux.namespaces.map(({ type }) => type)).toEqual(
        usual.linux.namespaces.map(({ type }) => type),
      );
      expect(spec.linux.resources.devices).toEqual(usual.linux.resources.devices);
      expect(spec.mounts.map(({ destination }) => destination)).toEqual(
        usual.mounts.map(({ destination }) => destination),
      );
      expect(Object.keys(spec).sort()).toEqual(Object.keys(usual).sort());
      expect(JSON.stringify(spec)).not.toMatch(/prestart|oci\.hooks/);
    }),
  );
});

describe('large', () => {
  it.each<[string, object]>([
    ['a million arguments', { Entrypoint: Array.from({ length: 1_000_000 }, () => 'x') }],
    ['an argument of 3 MB', { Cmd: ['x'.repeat(3_000_000)] }],
    ['a hundred thousand variables', { Env: Array.from({ length: 100_000 }, (_, index) => `V${index}=x`) }],
    [
      'ten thousand labels',
      { Labels: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`l${i}`, 'x'])) },
    ],
  ])('%s: refused, or made in bounded time', (_name, more) =>
    score.row(async () => {
      const began = performance.now();
      const loaded = await load(withConfig(more));
      const { status, message } = loaded === 200 ? await create() : { status: loaded, message: '' };
      expect(status, message).not.toBe(500);
      expect((await fake.api.get('/_ping')).status).toBe(200);
      expect(performance.now() - began).toBeLessThan(30_000);
    }),
  );
});
