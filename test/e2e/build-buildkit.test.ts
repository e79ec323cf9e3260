import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { afterEach, expect, test } from 'vitest';
import type { FakeBuildClient, Offer, OfferedFile } from '../support/build-client.ts';
import { logOf, startDoorBuild, type DoorBuild } from '../support/buildkit-door.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { packTar } from '../support/image-builder.ts';

// BuildKit's door, asked as buildx's docker driver asks.

const job = useJob();
let client: FakeBuildClient | undefined;

afterEach(() => {
  client?.leave();
});

async function startBuild(offer: Offer, asked: Readonly<Record<string, unknown>>): Promise<DoorBuild> {
  const build = await startDoorBuild(job.berth.ready.socket, offer, asked);
  ({ client } = build);
  return build;
}

function files(dockerfile: string): readonly OfferedFile[] {
  return [
    { path: 'Dockerfile', bytes: Buffer.from(dockerfile) },
    { path: 'd', mode: 2 ** 31 + 0o750 },
    { path: 'd/tool', mode: 0o755, bytes: Buffer.from('#!/bin/sh\necho tool\n') },
    { path: 'link', mode: 2 ** 27 + 0o777, linkname: 'd/tool' },
  ];
}

test('builds from the files and secrets of the client, under the name it asks for', async () => {
  const dockerfile = [
    'FROM busybox',
    'ARG WHO=nobody',
    'COPY . /ctx',
    'RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = hush && echo for $WHO',
    'CMD ["/ctx/link"]',
  ].join('\n');
  const build = await startBuild(
    { files: files(dockerfile), secrets: { token: 'hush' } },
    {
      ExporterAttrs: { name: 'by-buildkit:1' },
      FrontendAttrs: { 'build-arg:WHO': 'you', 'label:a': 'b' },
    },
  );
  const log = logOf(build);
  const answer = await build.answer;
  expect(answer['containerimage.config.digest']).toBe(
    await ask(job.berth, 'image', 'inspect', '--format', '{{.Id}}', 'by-buildkit:1'),
  );
  expect(await log).toContain('for you');
  expect(await ask(job.berth, 'run', '--rm', 'by-buildkit:1')).toBe('tool');
  expect(await ask(job.berth, 'run', '--rm', 'by-buildkit:1', 'stat', '-c', '%a %u', '/ctx/d')).toBe('750 0');
  expect(await ask(job.berth, 'image', 'inspect', '--format', '{{.Config.Labels.a}}', 'by-buildkit:1')).toBe(
    'b',
  );
});

test('a step has a socket to an SSH agent of the client, while it runs', async () => {
  const seconds = String(2_000_000 + (process.pid % 1_000_000));
  const dockerfile = [
    'FROM busybox',
    'RUN --mount=type=ssh test ! -e "$SSH_AUTH_SOCK" || exit 8',
    `RUN --mount=type=ssh,id=one,target=/agent test -S /agent && sleep ${seconds}`,
  ].join('\n');
  const build = await startBuild({ files: files(dockerfile), agents: ['one'] }, {});
  const log = logOf(build);
  const { directories, ready } = job.berth;
  const agents = async (): Promise<readonly string[]> =>
    (await readdir(join(directories.runDir, ready.job))).filter((name) => name.startsWith('a-'));
  await expect.poll(() => countProcesses(seconds), { timeout: 60_000 }).toBe(1);
  const [name = ''] = await agents();
  const connection = connect(join(directories.runDir, ready.job, name, 's'));
  connection.write('hello');
  const [words] = (await once(connection, 'data')) as [Buffer];
  expect(words.toString()).toBe('one HELLO');
  build.client.leave();
  await expect(log).rejects.toThrow();
  await once(connection, 'close');
  await expect.poll(agents, { timeout: 30_000 }).toEqual([]);
});

test('an agent is where the step looks for it', async () => {
  const dockerfile = [
    'FROM busybox',
    'RUN --mount=type=ssh,id=one,mode=0666,uid=5 stat -c "%F %a %u %n" $SSH_AUTH_SOCK',
    'RUN test ! -e /run/buildkit/ssh_agent.0 && echo gone',
  ].join('\n');
  const build = await startBuild({ files: files(dockerfile), agents: ['one'] }, {});
  const log = logOf(build);
  await build.answer;
  expect(await log).toContain('socket 666 5 /run/buildkit/ssh_agent.0\n');
  expect(await log).toContain('gone\n');
});

test('an agent that must be there, and is not, fails the build', async () => {
  const dockerfile = 'FROM busybox\nRUN --mount=type=ssh,required=true true';
  const build = await startBuild({ files: files(dockerfile), agents: ['one'] }, {});
  await expect(build.answer).rejects.toThrow('unset ssh forward key default');
});

test('a step that fails fails the build, and what it printed is told', async () => {
  const build = await startBuild({ files: files('FROM busybox\nRUN echo broken; exit 3') }, {});
  const [answer, log] = await Promise.allSettled([build.answer, logOf(build)]);
  expect(answer).toMatchObject({
    reason: { message: expect.stringContaining('returned a non-zero code: 3') as string },
  });
  expect(log).toMatchObject({ value: expect.stringContaining('broken') as string });
});

test.each([
  {
    what: 'an entitlement',
    asked: { Entitlements: ['security.insecure'] },
    words: 'security.insecure is refused',
  },
  {
    what: 'an output that the client can have by docker save',
    asked: { Exporter: 'oci' },
    words: '--output type=oci is not supported',
  },
  {
    what: 'steps that the client has made itself',
    asked: { Frontend: '', Definition: Buffer.from([10, 0]) },
    words: "a build of the client's own definition (LLB) is not supported",
  },
  {
    what: 'a policy about what may be fetched',
    asked: { SourcePolicy: Buffer.from([8, 1]) },
    words: 'a source policy is not supported',
  },
  {
    what: 'a cache that would be written to a directory',
    asked: { Cache: { Exports: [{ Type: 'local', Attrs: { dest: '/etc' } }] } },
    words: '--cache-to type=local is not supported',
  },
  {
    what: 'a frontend by argument',
    asked: { FrontendAttrs: { 'build-arg:BUILDKIT_SYNTAX': 'evil/frontend' } },
    words: '# syntax=evil/frontend is not supported',
  },
  {
    what: 'another frontend',
    asked: { Frontend: 'gateway.v0' },
    words: 'frontend "gateway.v0" is not supported',
  },
  {
    what: 'a named context from elsewhere',
    asked: { FrontendAttrs: { 'context:base': 'https://x.test/a.git' } },
    words: 'the named context base=https://x.test/a.git is not supported',
  },
  {
    what: 'an attestation',
    asked: { FrontendAttrs: { 'attest:sbom': '' } },
    words: 'attest:sbom',
  },
])('refuses $what, and says so', async ({ asked, words }) => {
  const build = await startBuild({ files: files('FROM busybox') }, asked);
  await expect(build.answer).rejects.toThrow(words);
});

test('images and directories of the client stand for stages and images', async () => {
  const dockerfile = [
    'FROM alpine AS base',
    'FROM base AS other',
    'RUN exit 9',
    'FROM base',
    'COPY --from=more d/tool /copied',
    'RUN --mount=from=more,target=/m /m/d/tool && cp /m/d/tool /bound',
    'COPY --from=other /bin/busybox /from-other',
  ].join('\n');
  const build = await startBuild(
    { files: files(dockerfile) },
    {
      ExporterAttrs: { name: 'by-contexts' },
      FrontendAttrs: {
        'context:alpine': 'docker-image://busybox',
        'context:other': 'docker-image://busybox:latest',
        'context:more': 'local:more',
      },
    },
  );
  await build.answer;
  expect(
    await ask(job.berth, 'run', '--rm', 'by-contexts', 'sh', '-c', '/copied; /bound; ls /from-other'),
  ).toBe('tool\ntool\n/from-other');
  expect(build.client.asked.map((asked) => asked['dir-name'])).toContain('more');
});

test('a context that came to the client as a tar is taken as one', async () => {
  const upload = await packTar([
    { path: 'sub/Dockerfile', type: 'file', content: 'FROM busybox\nCOPY . /ctx\nRUN ls /ctx\n' },
    { path: '.dockerignore', type: 'file', content: 'left-out\n' },
    { path: 'left-out', type: 'file', content: 'x' },
    { path: 'in-tar', type: 'file', content: 'x' },
  ]);
  const attributes = { context: 'http://buildkit-session/upload-1', filename: 'sub/Dockerfile' };
  const build = await startBuild({ upload }, { FrontendAttrs: attributes });
  const log = logOf(build);
  await build.answer;
  expect(await log).toContain('in-tar\nsub\n');
});

test.each(['directory', 'archive'] as const)('the result goes to the client as a %s', async (takes) => {
  const images = await ask(job.berth, 'images', '-aq');
  const dockerfile = [
    'FROM busybox AS made',
    'COPY . /ctx',
    'RUN chmod 4750 /ctx/d/tool && mkdir /ctx/e',
    'FROM scratch',
    'COPY --from=made /ctx /',
  ].join('\n');
  const build = await startBuild(
    { files: files(dockerfile), takes },
    { Exporter: takes === 'directory' ? 'local' : 'tar', ExporterAttrs: { name: 'never' } },
  );
  await build.answer;
  const { files: taken, archive } = build.client.taken;
  const names =
    takes === 'directory'
      ? taken.map(({ path, mode }) => `${path} ${(mode % 0o1000).toString(8)}`)
      : await namesIn(Buffer.concat(archive));
  expect(names.sort()).toEqual(['Dockerfile 644', 'd 750', 'd/tool 750', 'e 755', 'link 777']);
  expect(await ask(job.berth, 'images', '-aq')).toBe(images);
});

async function namesIn(archive: Buffer): Promise<string[]> {
  const names: string[] = [];
  const entries = extract();
  entries.end(archive);
  for await (const entry of entries) {
    const { name, mode } = entry.header;
    names.push(`${name.replace(/\/$/, '')} ${(mode % 0o1000).toString(8)}`);
    entry.resume();
  }
  return names;
}

async function countProcesses(argument: string): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.split('\0').includes(argument)).length;
}

test('a client that leaves takes its build with it', async () => {
  const seconds = String(1_000_000 + (process.pid % 1_000_000));
  const dockerfile = `FROM busybox\nRUN ["sleep", "${seconds}"]`;
  const build = await startBuild({ files: files(dockerfile) }, {});
  await expect.poll(() => countProcesses(seconds), { timeout: 30_000 }).toBe(1);
  build.client.leave();
  await expect(build.answer).rejects.toThrow();
  await expect.poll(() => countProcesses(seconds), { timeout: 30_000 }).toBe(0);
});
