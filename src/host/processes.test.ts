import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readlink } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { filterThrough } from './filter-program.ts';
import { createHostProcesses } from './processes.ts';

const processes = createHostProcesses();

describe('host processes', () => {
  test('arguments arrive as they are, input and both outputs pass, the exit code is an answer', async () => {
    const script = 'cat; printf "%s|" "$@" >&2; exit 7';
    const result = await processes.run(['sh', '-c', script, 'sh', 'a b', '$(id)', ''], { stdin: 'in' });
    expect(result).toEqual({ code: 7, stdout: 'in', stderr: 'a b|$(id)||' });
  });

  test('nothing of our own environment is passed on', async () => {
    const { stdout } = await processes.run(['env']);
    expect(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('=')[0])
        .sort(),
    ).toEqual(['LC_ALL', 'PATH']);
  });

  test('a signal shows as 128 + number', async () => {
    expect((await processes.run(['sh', '-c', 'kill -TERM $$'])).code).toBe(143);
  });

  test.each([
    { name: 'a missing program', argv: ['/no/such/program'], options: {}, kind: 'Unavailable' },
    { name: 'a timeout', argv: ['sleep', '60'], options: { timeoutMs: 20 }, kind: 'Unavailable' },
    {
      name: 'too much output',
      argv: ['head', '-c', '100000', '/dev/zero'],
      options: { maxOutputBytes: 1000 },
      kind: 'Internal',
    },
    {
      name: 'an abort',
      argv: ['sleep', '60'],
      options: { signal: AbortSignal.timeout(20) },
      kind: 'Cancelled',
    },
    {
      name: 'an earlier abort',
      argv: ['sleep', '60'],
      options: { signal: AbortSignal.abort() },
      kind: 'Cancelled',
    },
  ])('$name is an error of kind $kind', async ({ argv, options, kind }) => {
    await expect(processes.run(argv, options)).rejects.toMatchObject({ kind });
  });

  test('a detached program goes on in a session of its own', async () => {
    const identity = await processes.startDetached(['sleep', '600']);
    const stat = readFileSync(`/proc/${identity.pid}/stat`, 'utf8');
    expect(stat.slice(stat.lastIndexOf(')')).split(' ')[4]).toBe(String(identity.pid));
    expect(await processes.kill(identity, 'SIGKILL')).toBe(true);
    await expect.poll(() => processes.isAlive(identity)).toBe(false);
    await expect(processes.startDetached(['/no/such/program'])).rejects.toMatchObject({
      kind: 'Unavailable',
    });
  });

  test('a process is known by its start time, and a zombie is not alive', async () => {
    const child = spawn('sh', ['-c', 'read x'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const identity = await processes.identify(child.pid ?? 0);
    if (!identity) throw new Error('the child is not alive');
    expect(await processes.isAlive(identity)).toBe(true);
    expect(await processes.isAlive({ ...identity, startTime: '1' })).toBe(false);
    expect(await processes.kill({ ...identity, startTime: '1' }, 'SIGKILL')).toBe(false);
    expect(await processes.kill(identity, 'SIGKILL')).toBe(true);
    await once(child, 'close');
    expect(await processes.identify(identity.pid)).toBeUndefined();
    expect(await processes.kill(identity, 'SIGKILL')).toBe(false);
  });

  test('runInNetns runs in the namespace of the path', async () => {
    const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo up; read x'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await once(holder.stdout, 'data');
    const path = `/proc/${holder.pid ?? 0}/ns/net`;
    const { stdout } = await processes.runInNetns(path, ['readlink', '/proc/self/ns/net']);
    expect(stdout.trim()).toBe(await readlink(path));
    expect(stdout.trim()).not.toBe(await readlink('/proc/self/ns/net'));
    holder.stdin.end();
    await once(holder, 'close');
  });
});

describe('without descriptors', () => {
  function setMostFiles(soft: string): void {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:`]);
  }

  /** Takes all descriptors that this process may have but a few, for as long as the action takes. */
  async function withSpare(spare: number, action: () => Promise<void>): Promise<void> {
    const [, before = ''] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    setMostFiles(String(Math.max(...readdirSync('/proc/self/fd').map(Number)) + 100));
    const taken: number[] = [];
    try {
      for (;;) taken.push(openSync('/dev/null', 'r'));
    } catch {
      taken.splice(0, spare).forEach(closeSync);
      await action();
    } finally {
      taken.forEach(closeSync);
      setMostFiles(before);
    }
  }

  test.each([0, 1, 3])('a program that cannot be started is an error (%i left)', (spare) =>
    withSpare(spare, async () => {
      await expect(processes.run(['true'])).rejects.toMatchObject({ kind: 'Unavailable' });
      await expect(processes.startDetached(['true'])).rejects.toMatchObject({ kind: 'Unavailable' });
      await expect(processes.startCompanion(['true'])).rejects.toMatchObject({ kind: 'Unavailable' });
      const filtered = filterThrough(['cat'], (async function* () {})());
      await expect(filtered.next()).rejects.toMatchObject({ kind: 'Unavailable' });
    }),
  );
});
