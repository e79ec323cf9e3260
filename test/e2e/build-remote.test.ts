import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { FakeBuildClient, Offer } from '../support/build-client.ts';
import { logOf, startDoorBuild, type DoorBuild } from '../support/buildkit-door.ts';
import { serveDockerdBuildkit, type DockerdBuildkit } from '../support/dockerd-buildkit.ts';
import { startDockerd, type DockerdOracle } from '../support/dockerd-oracle.ts';
import {
  makeDirectories,
  removeDirectories,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask } from '../support/e2e-job.ts';
import { startFakeBuildkitd, type FakeBuildkitd, type RemoteWork } from '../support/fake-buildkitd.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

// Builds that the operator's buildkitd carries out: the BuildKit that dockerd has inside, which is a real one but gives no
// images away; and one of the test's, which does.

let client: FakeBuildClient | undefined;

afterEach(() => {
  client?.leave();
});

async function startBuild(
  berth: Berth,
  offer: Offer,
  asked: Readonly<Record<string, unknown>>,
): Promise<DoorBuild> {
  const build = await startDoorBuild(berth.ready.socket, offer, asked);
  ({ client } = build);
  return build;
}

const file = (path: string, text: string): { readonly path: string; readonly bytes: Buffer } => ({
  path,
  bytes: Buffer.from(text),
});

describe("with dockerd's BuildKit", () => {
  let directories: BerthDirectories;
  let oracle: DockerdOracle;
  let buildkit: DockerdBuildkit;
  let berth: Berth;

  beforeAll(async () => {
    directories = await makeDirectories();
    oracle = await startDockerd();
    const input = await dockerArchive([
      { image: await buildImage({ cmd: ['sh'] }), tags: ['busybox:latest'] },
    ]);
    await oracle.docker(['load'], { input });
    const socket = join(directories.home, 'buildkitd.sock');
    buildkit = await serveDockerdBuildkit(oracle.socket, socket);
    berth = await startBerth({ directories, config: `[build]\nbuildkitd = "unix://${socket}"\n` });
  });
  afterAll(async () => {
    const end = await berth.stop();
    await buildkit.stop();
    await oracle.stop();
    await removeDirectories(directories);
    expect(end.code).toBe(0);
  });

  test.each(['directory', 'archive'] as const)('the files of the client come back as a %s', async (takes) => {
    const dockerfile = [
      'FROM busybox AS made',
      'ARG WHO',
      'COPY . /ctx',
      'RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = hush && echo for $WHO | tee /ctx/who',
      'FROM scratch',
      'COPY --from=made /ctx /',
    ].join('\n');
    const files = [
      file('.dockerignore', 'left-out\n'),
      file('Dockerfile', dockerfile),
      file('taken', 'x'.repeat(100_000)),
    ];
    const build = await startBuild(
      berth,
      { files, takes, secrets: { token: 'hush' } },
      {
        Exporter: takes === 'directory' ? 'local' : 'tar',
        FrontendAttrs: { 'build-arg:WHO': takes, 'force-network-mode': 'none' },
      },
    );
    const log = logOf(build);
    await build.answer;
    expect(await log).toContain(`for ${takes}`);
    // It is the client that leaves out what is ignored.
    expect(build.client.asked).toContainEqual(
      expect.objectContaining({ 'dir-name': 'context', 'exclude-patterns': 'left-out' }),
    );
    const { files: taken, archive } = build.client.taken;
    if (takes === 'archive') expect(Buffer.concat([...archive]).includes('for archive')).toBe(true);
    else
      expect(taken.map(({ path }) => path).filter((path) => path !== '.dockerignore')).toEqual([
        'Dockerfile',
        'taken',
        'who',
      ]);
    expect(await ask(berth, 'images', '-aq')).toBe('');
  });

  test('a step that fails fails the build, and what it printed is told', async () => {
    const files = [file('Dockerfile', 'FROM busybox\nRUN echo broken; exit 3\n')];
    const attributes = { 'force-network-mode': 'none' };
    const build = await startBuild(
      berth,
      { files, takes: 'archive' },
      { Exporter: 'tar', FrontendAttrs: attributes },
    );
    const [answer, log] = await Promise.allSettled([build.answer, logOf(build)]);
    expect(answer).toMatchObject({ reason: { message: expect.stringContaining('exit code: 3') as string } });
    expect(log).toMatchObject({ value: expect.stringContaining('broken') as string });
  });
});

describe('with a BuildKit that gives images away', () => {
  let directories: BerthDirectories;
  let daemon: FakeBuildkitd;
  let berth: Berth;
  let work: RemoteWork;

  beforeAll(async () => {
    directories = await makeDirectories();
    daemon = await startFakeBuildkitd((...asked) => work(...asked));
    berth = await startBerth({ directories, config: `[build]\nbuildkitd = "${daemon.socketPath}"\n` });
  });
  afterAll(async () => {
    const end = await berth.stop();
    await daemon.stop();
    await removeDirectories(directories);
    expect(end.code).toBe(0);
  });

  const give =
    (digest: (config: string) => string): RemoteWork =>
    async ({ ExporterAttrs: { name = '' } }, calls) => {
      const image = await buildImage({ cmd: ['echo', 'made elsewhere'] });
      const call = calls.open((await loadMethods('filesend')).DiffCopy, {});
      const tags = name === '' ? [] : name.split(',').map((one) => one.replace('docker.io/library/', ''));
      await call.sendPaced({ data: await dockerArchive([{ image, tags }]) });
      call.end();
      for await (const message of call.messages) expect(message.data.length).toBe(0);
      return { 'containerimage.config.digest': digest(image.config.digest) };
    };
  const files = [file('Dockerfile', 'FROM busybox\n')];

  test('what is built is an image of the job', async () => {
    work = give((digest) => digest);
    const build = await startBuild(berth, { files }, { ExporterAttrs: { name: 'elsewhere:1' } });
    const answer = await build.answer;
    expect(answer['containerimage.config.digest']).toBe(
      await ask(berth, 'image', 'inspect', '--format', '{{.Id}}', 'elsewhere:1'),
    );
    expect(await ask(berth, 'run', '--rm', 'elsewhere:1')).toBe('made elsewhere');
    expect(
      (await readdir(join(directories.runDir, berth.ready.job))).filter((name) => name.startsWith('s-')),
    ).toEqual([]);
  });

  test('an image that is another than it is said to be fails the build', async () => {
    work = give(() => `sha256:${'0'.repeat(64)}`);
    const build = await startBuild(berth, { files }, { ExporterAttrs: { name: 'elsewhere:2' } });
    await expect(build.answer).rejects.toThrow('has not handed over the image');
  });

  const F = 'FROM busybox';
  const option = (name: string, value: string): Readonly<Record<string, unknown>> => ({
    FrontendAttrs: { [name]: value },
  });
  test.each([
    {
      what: 'an entitlement',
      asked: { Entitlements: ['security.insecure'] },
      words: 'security.insecure is refused',
    },
    {
      what: 'the network of the machine',
      asked: option('force-network-mode', 'host'),
      words: '--network=host is not',
    },
    { what: 'a step with that network', dockerfile: `${F}\nRUN --network=host true`, words: 'network.host' },
    {
      what: 'a step without walls',
      dockerfile: `${F}\nRUN --security=insecure true`,
      words: 'security.insecure',
    },
    {
      what: 'a frontend out of an image',
      dockerfile: `# syntax=evil/frontend\n${F}`,
      words: 'syntax=evil/frontend is not',
    },
    {
      what: 'a cache in a directory',
      asked: { Cache: { Exports: [{ Type: 'local', Attrs: { dest: '/etc' } }] } },
      words: '--cache-to type=local is not',
    },
    {
      what: 'a directory of the machine',
      asked: { Exporter: 'oci', ExporterAttrs: { dest: '/etc' } },
      words: 'type=oci',
    },
    {
      what: 'a context that cannot be looked at',
      asked: option('context', 'http://buildkit-session/upload-1'),
      words: 'a tar on stdin',
    },
    {
      what: 'a context from elsewhere',
      asked: option('context', 'https://169.254.169.254/x.git'),
      words: 'remote',
    },
    { what: 'a cgroup', asked: option('cgroup-parent', '/x'), words: 'cgroup-parent is not' },
  ])('refuses $what before the builder hears of it', async ({ dockerfile = F, asked = {}, words }) => {
    let isHeard = false;
    work = () => {
      isHeard = true;
      return Promise.resolve({});
    };
    const build = await startBuild(berth, { files: [file('Dockerfile', dockerfile)] }, asked);
    await expect(build.answer).rejects.toThrow(words);
    expect(isHeard).toBe(false);
  });
});
