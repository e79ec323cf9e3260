import { readdir, readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { FakeBuildClient, Offer, OfferedFile } from '../support/build-client.ts';
import { startDoorBuild, stepsOf, type DoorBuild } from '../support/buildkit-door.ts';
import { ask, useJob } from '../support/e2e-job.ts';

// Options of BuildKit's clients: each has an effect, or is told to have none.

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

function only(dockerfile: string): readonly OfferedFile[] {
  return [{ path: 'Dockerfile', bytes: Buffer.from(dockerfile) }];
}

async function findProcess(argument: string): Promise<string | undefined> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.startsWith('sleep\0') && line.split('\0').includes(argument)) return pid;
  }
  return undefined;
}

test('a build for the cache alone leaves no image, and the next one has its steps', async () => {
  const dockerfile = 'FROM busybox\nRUN echo for the cache > /made';
  const before = await ask(job.berth, 'images', '-aq');
  const build = await startBuild({ files: only(dockerfile) }, { Exporter: '' });
  expect(await build.answer).toEqual({});
  expect(await ask(job.berth, 'images', '-aq')).toBe(before);
  const again = await startBuild({ files: only(dockerfile) }, { ExporterAttrs: { name: 'from-cache' } });
  const log = stepsOf(again);
  await again.answer;
  expect(await log).toContainEqual({ name: '[2/2] RUN echo for the cache > /made', cached: true });
});

test('what has no effect is told as a step', async () => {
  const build = await startBuild(
    { files: only('FROM busybox') },
    { ExporterAttrs: { name: 'annotated', 'annotation.a': 'b' } },
  );
  const steps = stepsOf(build);
  await build.answer;
  expect(await steps).toContainEqual({
    name: '[Warning] annotation.a is not kept: images of this daemon have labels, and no annotations',
    cached: false,
  });
});

test('host-gateway is the address that containers know the job by', async () => {
  const { ListWorkers } = await loadMethods('control');
  const build = await startBuild({ files: only('FROM busybox') }, {});
  await build.answer;
  const { record } = await build.client.control.unary(ListWorkers, {});
  const format = '{{(index .IPAM.Config 0).Gateway}}';
  expect(record[0]?.Labels['org.mobyproject.buildkit.worker.moby.host-gateway-ip']).toBe(
    await ask(job.berth, 'network', 'inspect', '--format', format, 'bridge'),
  );
});

test('a cgroup of the client is one below the job', async () => {
  const seconds = String(3_000_000 + (process.pid % 1_000_000));
  const dockerfile = `FROM busybox\nRUN ["sleep", "${seconds}"]`;
  const build = await startBuild(
    { files: only(dockerfile) },
    { FrontendAttrs: { 'cgroup-parent': '/../of/mine' } },
  );
  await expect.poll(() => findProcess(seconds), { timeout: 30_000 }).toBeDefined();
  const groups = await readFile(`/proc/${String(await findProcess(seconds))}/cgroup`, 'utf8');
  expect(groups).toMatch(new RegExp(`:pids:.*/${job.berth.ready.job}/[^/]+/[0-9a-f]{64}$`, 'm'));
  build.client.leave();
  await expect(build.answer).rejects.toThrow();
});
