import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Offer } from '../support/build-client.ts';
import { startDoorBuild, type DoorBuild } from '../support/buildkit-door.ts';
import {
  makeDirectories,
  removeDirectories,
  runBerth,
  startBerth,
  type Berth,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// Builds by BuildKit's door that end in the middle: the client leaves, one of its connections does, or berth is killed.

const job = useJob();

interface Place {
  readonly dockerfile: string;
  readonly offer?: Offer;
  readonly exporter?: string;
  /** What the job has when the build is there. */
  readonly has: 'directory' | 'container';
}

const COPY = 'FROM busybox\nCOPY . /all\n';
const PLACES: Readonly<Record<string, Place>> = {
  'while it is asked for names': { dockerfile: COPY, offer: { holds: 'names' }, has: 'directory' },
  'while it sends files': { dockerfile: COPY, offer: { holds: 'bytes' }, has: 'directory' },
  'while a command runs': { dockerfile: 'FROM busybox\nRUN sleep 1000\n', has: 'container' },
  'while two commands run': {
    dockerfile: 'FROM busybox AS a\nRUN sleep 1000\nFROM busybox\nRUN sleep 1000\nCOPY --from=a /x /\n',
    has: 'container',
  },
  'while an agent is lent': {
    dockerfile: 'FROM busybox\nRUN --mount=type=ssh sleep 1000\n',
    offer: { agents: ['default'] },
    has: 'container',
  },
  'while it takes the result': {
    dockerfile: COPY,
    offer: { holds: 'result', takes: 'directory' },
    exporter: 'local',
    has: 'directory',
  },
};
const NAMES = Object.keys(PLACES);

async function begin({ ready, directories }: Berth, name: string): Promise<DoorBuild> {
  const { dockerfile, offer, exporter = 'moby', has } = PLACES[name] ?? { dockerfile: '', has: 'directory' };
  const files = [
    { path: 'Dockerfile', bytes: Buffer.from(`${dockerfile}\n# ${String(Math.random())}`) },
    { path: 'file', bytes: Buffer.alloc(100_000, 'x') },
  ];
  const build = await startDoorBuild(ready.socket, { files, ...offer }, { Exporter: exporter });
  const state = join(directories.root, 'jobs', ready.job);
  const isThere = async (): Promise<boolean> =>
    has === 'container'
      ? (await readdir(join(state, 'containers'))).length > 0
      : (await leftovers(directories.root, ready.job)).length > 0;
  await expect.poll(isThere, { timeout: 30_000 }).toBe(true);
  return build;
}

/** Directories of builds, their agents' among them, and of their containers that are still there. */
async function leftovers(root: string, name: string): Promise<readonly string[]> {
  const state = join(root, 'jobs', name);
  const builds = (await readdir(state)).filter((one) => one.startsWith('build-'));
  return [...builds, ...(await readdir(join(state, 'containers')))];
}

async function agents({ directories, ready }: Berth): Promise<readonly string[]> {
  return (await readdir(join(directories.runDir, ready.job))).filter((name) => /^[as]-/.test(name));
}

test.each(
  NAMES.flatMap((name) => (['both', 'control', 'session'] as const).map((cut) => [name, cut] as const)),
)('%s: a client that leaves by %s leaves nothing', async (name, cut) => {
  const { berth } = job;
  const before = await ask(berth, 'images', '-aq');
  const build = await begin(berth, name);
  build.client.leave(cut === 'both' ? undefined : cut);
  const { directories, ready } = berth;
  // A command of which nobody asks the client anything goes on without its session.
  const goesOn = cut === 'session' && PLACES[name]?.has === 'container';
  if (goesOn) build.client.leave();
  await expect(build.answer).rejects.toThrow();
  await expect.poll(() => leftovers(directories.root, ready.job), { timeout: 30_000 }).toEqual([]);
  expect(await agents(berth)).toEqual([]);
  expect(await ask(berth, 'ps', '-aq')).toBe('');
  expect(await ask(berth, 'images', '-aq')).toBe(before);
  build.client.leave();
});

test.each(NAMES)('%s: a berth that is killed leaves nothing', async (name) => {
  const directories = await makeDirectories();
  const { home, root, runDir } = directories;
  const berth = await startBerth({ directories });
  const killed = berth.ready.job;
  await loadBusybox(berth);
  const build = await begin(berth, name);
  await berth.kill9();
  await expect(build.answer).rejects.toThrow();
  build.client.leave();
  const again = await startBerth({ directories, job: killed });
  await expect.poll(() => leftovers(root, killed), { timeout: 30_000 }).toEqual([]);
  expect(await agents(again)).toEqual([]);
  const end = await again.stop();
  expect(end).toMatchObject({ code: 0, report: { leaks: [] } });
  const swept = await runBerth(['gc', '--root', root, '--run-dir', runDir], { home });
  expect(swept.code, swept.stdout).toBe(0);
  await removeDirectories(directories);
});
