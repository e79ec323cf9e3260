import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  startBerth,
  type Berth,
  type BerthDirectories,
  type BerthOptions,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';

let directories: BerthDirectories;
let context: string;

beforeAll(async () => {
  directories = await makeDirectories();
  context = await mkdtemp('/tmp/build-cache-');
});
afterAll(async () => {
  await rm(context, { recursive: true, force: true });
  await removeDirectories(directories);
});

/** A job of an owner, for one action. */
async function inJob<T>(
  scope: string,
  action: (berth: Berth) => Promise<T>,
  options: Pick<BerthOptions, 'config' | 'job'> = {},
): Promise<T> {
  const berth = await startBerth({ directories, args: ['--cache-scope', scope], ...options });
  try {
    await loadBusybox(berth);
    return await action(berth);
  } finally {
    expect((await berth.stop()).report).toMatchObject({ leaks: [] });
  }
}

async function build(berth: Berth, ...lines: readonly string[]): Promise<string> {
  return buildWith(berth, ['--no-cache'], lines);
}

async function buildWith(
  berth: Berth,
  options: readonly string[],
  lines: readonly string[],
): Promise<string> {
  await writeFile(join(context, 'Dockerfile'), ['FROM busybox', ...lines, ''].join('\n'));
  const { code, stdout, stderr } = await berth.docker(['build', ...options, context], {
    env: { DOCKER_BUILDKIT: '0' },
  });
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

interface CacheRecord {
  readonly Type: string;
  readonly Size: number;
  readonly InUse: boolean;
}

/** The build cache as the API has it. */
async function recordsOf(berth: Berth): Promise<readonly CacheRecord[]> {
  const text = await ask(berth, 'system', 'df', '-v', '--format', '{{json .BuildCache}}');
  const records = JSON.parse(text) as readonly {
    readonly CacheType: string;
    readonly Size: string;
    readonly InUse: string;
  }[];
  return records.map(({ CacheType, Size, InUse }) => ({
    Type: CacheType,
    Size: bytesOf(Size),
    InUse: InUse === 'true',
  }));
}

function bytesOf(text: string): number {
  const [, number = '0', unit = ''] = /^([\d.]+)([kMG]?)B$/.exec(text) ?? [];
  return Number(number) * ({ k: 1e3, M: 1e6, G: 1e9 }[unit] ?? 1);
}

describe('cache mounts', () => {
  const useCache = 'RUN --mount=type=cache,target=/cache echo x >> /cache/lines; wc -l < /cache/lines';

  test('last over jobs of one owner, and no other owner sees them', async () => {
    const lines = (stdout: string): string => /^(\d+)$/m.exec(stdout)?.[1] ?? '';
    expect(lines(await inJob('mine', (berth) => build(berth, useCache)))).toBe('1');
    expect(lines(await inJob('mine', (berth) => build(berth, useCache)))).toBe('2');
    expect(lines(await inJob('theirs', (berth) => build(berth, useCache)))).toBe('1');
  });

  test('are shown by df, and pruned', async () => {
    await inJob('pruned', async (berth) => {
      await build(
        berth,
        useCache,
        'RUN --mount=type=cache,id=big,target=/c head -c 3000000 /dev/zero > /c/f',
      );
      const mounts = (await recordsOf(berth)).filter(({ Type }) => Type === 'exec.cachemount');
      expect(mounts.map(({ Size }) => Size > 2_900_000)).toEqual([false, true]);
      await ask(berth, 'builder', 'prune', '-af', '--filter', 'type=exec.cachemount');
      const left = await recordsOf(berth);
      expect(left.length).toBeGreaterThan(0);
      expect(left.every(({ Type }) => Type === 'regular')).toBe(true);
    });
  });
});

describe('the size of the cache', () => {
  const write = (name: string): string => `RUN head -c 2000000 /dev/urandom > /${name}`;

  test('builder prune keeps what was used last', async () => {
    await inJob('kept', async (berth) => {
      await build(berth, write('a'), write('b'), write('c'));
      await ask(berth, 'builder', 'prune', '-af', '--keep-storage', '5mb');
      const sizes = (await recordsOf(berth)).map(({ Size }) => Size);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(5_000_000);
      expect(sizes.filter((size) => size > 1_900_000)).toHaveLength(2);
      await ask(berth, 'builder', 'prune', '-af', '--filter', 'until=24h');
      expect(await recordsOf(berth)).toHaveLength(sizes.length);
    });
  });

  test('has a limit that the operator sets', async () => {
    const config = '[cache]\nbuild_bytes = 5000000\n';
    await inJob(
      'limited',
      async (berth) => {
        await build(berth, write('a'), write('b'), write('c'));
        const total = async (): Promise<number> =>
          (await recordsOf(berth)).reduce((sum, { Size }) => sum + Size, 0);
        await expect.poll(total, { timeout: 10_000 }).toBeLessThanOrEqual(5_000_000);
        expect(await total()).toBeGreaterThan(1_900_000);
      },
      { config },
    );
  });
});

describe('a cache that another job of the owner', () => {
  const lines = ['RUN echo a > /a', 'WORKDIR /w', 'RUN echo b > /b', 'CMD ["cat", "/a", "/b"]'];
  const hits = (stdout: string): number => stdout.split('---> Using cache').length - 1;

  test('has filled gives all steps', async () => {
    await inJob('filled', (berth) => buildWith(berth, [], lines));
    await inJob('filled', async (berth) => {
      expect(hits(await buildWith(berth, ['-t', 'hit'], lines))).toBe(4);
      expect(await ask(berth, 'run', '--rm', 'hit')).toBe('a\nb');
    });
  });

  test('has emptied meanwhile gives none that are gone', async () => {
    await inJob('emptied', (berth) => buildWith(berth, [], lines));
    await inJob(
      'emptied',
      async (late) => {
        // What others have left is looked for once.
        expect(hits(await buildWith(late, ['--iidfile', join(context, 'id')], lines))).toBe(4);
        await ask(late, 'image', 'rm', (await readFile(join(context, 'id'), 'utf8')).trim());
        await inJob('emptied', (other) => ask(other, 'builder', 'prune', '-af'), { job: 'other' });
        const again = await buildWith(late, ['-t', 'again'], lines);
        expect(again).toContain('Cached steps were removed meanwhile: the stage begins again');
        expect(await ask(late, 'run', '--rm', 'again')).toBe('a\nb');
      },
      { job: 'late' },
    );
  });
});
