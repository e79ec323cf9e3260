import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectories, removeDirectories, startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import {
  exitCodeOf,
  followLogs,
  footprintOf,
  outputOf,
  removeContainer,
  runContainers,
  runExecs,
  startContainer,
  vanish,
} from '../support/load-scenarios.ts';

// Many clients at once, clients that leave, floods and a full disk: nothing lost that was promised, nothing kept that
// has ended. scripts/soak does the same at length.

const LOG_MAX_BYTES = 8 << 20;
const job = useJob({ config: `[containers]\nlog_max_bytes = ${LOG_MAX_BYTES}\n` });

describe('at once', () => {
  test('50 containers: each has its own output and exit code', async () => {
    expect(await runContainers(job.berth, 50)).toEqual([]);
    expect(await ask(job.berth, 'ps', '-aq')).toBe('');
  }, 300_000);

  test('200 execs: each has its own output and exit code', async () => {
    expect(await runExecs(job.berth, { total: 200, atOnce: 50 })).toEqual([]);
  }, 300_000);

  test('100 followers of one log: each gets every line', async () => {
    expect(await followLogs(job.berth, { followers: 100, lines: 5000 })).toBe(0);
  }, 300_000);
});

describe('what is over is let go of', () => {
  test('when clients leave in the middle of every stream', async () => {
    await vanish(job.berth, 1);
    const before = await footprintOf(job.berth);
    await vanish(job.berth, 5);
    await expect
      .poll(async () => (await footprintOf(job.berth)).files, { timeout: 30_000 })
      .toBeLessThanOrEqual(before.files + 2);
    expect((await footprintOf(job.berth)).rssMb).toBeLessThan(300);
    expect(await ask(job.berth, 'run', '--rm', 'busybox', 'echo', 'on')).toBe('on');
  }, 300_000);

  test('when a container floods its log: the newest stays, within its size, and memory is bounded', async () => {
    const id = await startContainer(job.berth, 'yes 0123456789 | head -c 300000000; echo; echo the end');
    expect(await exitCodeOf(job.berth, id)).toBe(0);
    const directory = join(job.berth.directories.root, 'jobs', job.berth.ready.job, 'containers', id, 'log');
    const files = await Promise.all((await readdir(directory)).map((name) => stat(join(directory, name))));
    const bytes = files.reduce((sum, { size }) => sum + size, 0);
    expect(bytes).toBeGreaterThan(LOG_MAX_BYTES / 2);
    expect(bytes).toBeLessThan(LOG_MAX_BYTES * 1.5);
    expect(await outputOf(job.berth, id, '&tail=1')).toBe('the end\n');
    expect((await footprintOf(job.berth)).rssMb).toBeLessThan(300);
    await removeContainer(job.berth, id);
  }, 300_000);
});

test('a full disk fails what needs it, keeps exits true, and can be cleaned up', async () => {
  const directories = await makeDirectories();
  await mkdir(directories.root);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', directories.root]);
  try {
    const berth = await startBerth({ directories });
    await loadBusybox(berth);
    const filler = await startContainer(berth, 'dd if=/dev/zero of=/fill bs=64k; exit 3');
    expect(await exitCodeOf(berth, filler)).toBe(3);
    // Its log finds no place either, and its exit code is told all the same.
    const writer = await berth.docker(['run', 'busybox', 'sh', '-c', 'seq 1 100000; exit 4']);
    expect([4, 125], writer.stderr).toContain(writer.code);
    if (writer.code === 125) expect(writer.stderr).toMatch(/no space left|ENOSPC/i);
    expect(await ask(berth, 'info', '--format', '{{.OSType}}')).toBe('linux');
    await removeContainer(berth, filler);
    expect(await ask(berth, 'run', '--rm', 'busybox', 'echo', 'room')).toBe('room');
    expect(await berth.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
  } finally {
    execFileSync('umount', ['--lazy', directories.root]);
    await removeDirectories(directories);
  }
}, 120_000);
