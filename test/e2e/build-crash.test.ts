import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  runBerth,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { baseEnvironment, runCommand, startProcess, type RunningProcess } from '../support/e2e-process.ts';
import { parseMounts } from '../support/leaks.ts';

// A berth that is killed while it builds: at known places, and at moments that nobody chose.

const RANDOM_MOMENTS = 4;
const LONGEST_MS = 2_500;

let context: string;

beforeAll(async () => {
  context = await mkdtemp('/tmp/build-crash-');
  await mkdir(join(context, 'files'));
  for (let index = 0; index < 300; index += 1)
    await writeFile(join(context, 'files', String(index)), randomBytes(4096));
  const lines = [
    'FROM busybox AS one',
    'COPY files /files',
    'RUN --mount=type=cache,target=/cache cp -r /files /cache/ && cp -r /files /made',
    'FROM busybox',
    'COPY --from=one /made /made',
    'RUN --mount=type=bind,source=files,target=/in cp -r /in /out',
    'RUN --mount=type=cache,target=/cache,sharing=locked echo begun; sleep 1000',
  ];
  await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
});
afterAll(() => {
  rmSync(context, { recursive: true });
});

function startBuild(berth: Berth): Promise<RunningProcess> {
  return startProcess({
    program: 'docker',
    args: ['build', '--no-cache', context],
    env: { ...berth.clientEnv, DOCKER_BUILDKIT: '0' },
  });
}

/** Directories of builds and of containers that the job still has. */
function leftovers({ directories, ready }: Berth): readonly string[] {
  const state = join(directories.root, 'jobs', ready.job);
  const builds = readdirSync(state).filter((name) => name.startsWith('build-'));
  return [...builds, ...readdirSync(join(state, 'containers'))];
}

async function sweep({ root, runDir, home }: BerthDirectories): Promise<void> {
  const { code, stdout } = await runBerth(['gc', '--root', root, '--run-dir', runDir], { home });
  expect(code, stdout).toBe(0);
  for (const line of stdout.split('\n').filter((one) => one !== ''))
    expect(JSON.parse(line)).toMatchObject({ leaks: [] });
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  expect(mounts.filter((mount) => mount.startsWith(`${home}/`))).toEqual([]);
  expect(existsSync(join(root, 'jobs', 'crashed'))).toBe(false);
}

/** What containerd has of builds; a job that did nothing yet is there to ask it. */
async function storedBy(directories: BerthDirectories): Promise<string> {
  const berth = await startBerth({ directories });
  try {
    const list = async (...args: readonly string[]): Promise<string> => {
      const all = ['--address', berth.ready.containerd, '--namespace', 'berth.images', ...args];
      const env = baseEnvironment(directories.home);
      const { stdout } = await runCommand({ program: 'ctr', args: all, env });
      return stdout.trim();
    };
    const leases = (await list('leases', 'ls', '-q'))
      .split('\n')
      .filter((name) => name !== '' && !name.startsWith(`job.${berth.ready.job}`));
    const rows = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await list(...args)).split('\n').slice(1);
    const stored = [
      await rows('snapshots', 'ls'),
      await rows('content', 'ls'),
      await rows('content', 'active'),
    ];
    return [...leases, ...stored.flat()].join('\n');
  } finally {
    await berth.stop();
  }
}

/** Kills a berth while it builds, and what it left is looked for. */
async function killDuring(
  wait: (build: RunningProcess) => Promise<unknown>,
  { isStartedAgain }: { readonly isStartedAgain: boolean },
): Promise<void> {
  const directories = await makeDirectories();
  const job = 'crashed';
  const first = await startBerth({ directories, job });
  await loadBusybox(first);
  const build = await startBuild(first);
  await wait(build);
  await first.kill9();
  await build.exited;
  if (isStartedAgain) {
    const second = await startBerth({ directories, job });
    // The step is ended by now; what no client can see of its removal follows behind.
    await expect.poll(() => leftovers(second), { timeout: 20_000 }).toEqual([]);
    expect(await ask(second, 'ps', '-aq')).toBe('');
    const again = await second.docker(['build', '--target', 'one', context], {
      env: { DOCKER_BUILDKIT: '0' },
    });
    expect(again.code, again.stderr).toBe(0);
    await second.kill9();
  }
  await sweep(directories);
  expect(await storedBy(directories)).toBe('');
  await sweep(directories);
  await removeDirectories(directories);
}

const shows =
  (words: string) =>
  (build: RunningProcess): Promise<true> =>
    build.waitForOutput(({ stdout }) => (stdout.includes(words) ? true : undefined), 60_000);

describe('a berth that is killed while it builds leaves nothing', () => {
  test.each([
    ['while it takes the context', 'Sending build context', true],
    ['in COPY', 'COPY files', false],
    ['in RUN, with a cache', 'RUN --mount=type=cache,target=/cache cp', true],
    ['between stages', 'COPY --from=one', false],
    ['with a cache that is locked', 'begun', true],
  ])('%s', async (_, words, isStartedAgain) => {
    await killDuring(shows(words), { isStartedAgain });
  });

  test.each(Array.from({ length: RANDOM_MOMENTS }, () => Math.floor(Math.random() * LONGEST_MS)))(
    'after %i ms',
    async (ms) => {
      await killDuring(() => sleep(ms), { isStartedAgain: ms % 2 === 0 });
    },
  );
});
