import { fork } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connectContainerd } from '../../src/containerd/connect.ts';
import { embeddedPaths } from '../../src/containerd/embedded-config.ts';
import { createEmbeddedDaemon } from '../../src/containerd/embedded-daemon.ts';
import { acquireEmbedded, stopUnusedEmbedded } from '../../src/containerd/embedded.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { embeddedOptions } from '../support/real-containerd.ts';
import { expectKind } from './containerd-suite.ts';

describe('embedded containerd', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'berth-embedded-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  const pidOf = async (): Promise<number> =>
    Number(await readFile(path.join(root, 'containerd/containerd.pid'), 'utf8'));
  const isAlive = async (pid: number): Promise<boolean> => (await createIdentity(pid)) !== undefined;
  const createIdentity = async (pid: number): Promise<unknown> =>
    (await embeddedOptions(root)).processes.identify(pid);

  // A process of its own, as a job is: it acquires, says so, and waits to be killed.
  async function startUser(): Promise<{ readonly address: string; kill(): Promise<void> }> {
    const script = path.join(import.meta.dirname, 'containerd-embedded-user.ts');
    const child = fork(script, [root], { execArgv: ['--import', 'tsx'], stdio: 'inherit' });
    const address = await new Promise<string>((resolve, reject) => {
      child.once('message', (message) => resolve(message as string));
      child.once('exit', (code) => reject(new Error(`user ended with ${String(code)}`)));
    });
    const kill = async (): Promise<void> => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await ended;
    };
    return { address, kill };
  }

  test('jobs share one daemon, a killed one does not count, and the last one stops it', async () => {
    const options = await embeddedOptions(root);
    const [first, second, killed] = await Promise.all([
      acquireEmbedded(options),
      acquireEmbedded(options),
      startUser(),
    ]);
    expect(second.address).toBe(first.address);
    expect(killed.address).toBe(first.address);
    const pid = await pidOf();
    await first.release();
    await killed.kill();
    expect(await isAlive(pid)).toBe(true);
    const client = connectContainerd(second.address, 'berth-x');
    await client.ping();
    client.close();
    await second.release();
    await second.release();
    expect(await isAlive(pid)).toBe(false);
    expect(await readdir(path.join(root, 'containerd/users'))).toEqual([]);
  });

  test('a daemon whose only job was killed lives on for the next job, and is stopped as unused', async () => {
    const user = await startUser();
    const pid = await pidOf();
    await user.kill();
    expect(await isAlive(pid)).toBe(true);
    const options = await embeddedOptions(root);
    const next = await acquireEmbedded(options);
    expect(await pidOf()).toBe(pid);
    expect(await stopUnusedEmbedded(options)).toBe(false);
    await next.release();
    expect(await isAlive(pid)).toBe(false);
    expect(await stopUnusedEmbedded(options)).toBe(true);
  });

  test('what it had mounted to unpack into goes with it', async () => {
    const options = await embeddedOptions(root);
    const only = await acquireEmbedded(options);
    const left = path.join(root, 'containerd/root/tmpmounts/containerd-mount1');
    await mkdir(left, { recursive: true });
    const libc = await loadLibc();
    libc.mount({ source: 'none', target: left, type: 'tmpfs', flags: 0, data: '' });
    await only.release();
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(left);
  });

  test('a process that has got the number of a dead daemon is left alone', async () => {
    const options = await embeddedOptions(root);
    const first = await acquireEmbedded(options);
    const pid = await pidOf();
    process.kill(pid, 'SIGKILL');
    await writeFile(path.join(root, 'containerd/containerd.pid'), `${process.pid}\n`);
    await first.ensureRunning();
    expect(await pidOf()).not.toBe(process.pid);
    await first.release();
  });

  test('a daemon that cannot start is Unavailable, with the end of its log', async () => {
    const broken = await mkdtemp(path.join(tmpdir(), 'berth-broken-'));
    await mkdir(path.join(broken, 'containerd'));
    await writeFile(path.join(broken, 'containerd/root'), 'a file where the directory should be');
    const acquired = acquireEmbedded(await embeddedOptions(broken));
    await expectKind(acquired, 'Unavailable');
    await expect(acquired).rejects.toThrow(/not a directory/);
    expect(await readdir(path.join(broken, 'containerd/users'))).toEqual([]);
    await rm(broken, { recursive: true });
  });

  test('a daemon that takes calls and does not answer them is Unavailable, until it does', async () => {
    const options = await embeddedOptions(root);
    const user = await acquireEmbedded(options);
    const daemon = createEmbeddedDaemon(embeddedPaths(root), options.processes, 1_000);
    const pid = await pidOf();
    process.kill(pid, 'SIGSTOP');
    try {
      const asked = daemon.ensureRunning();
      await expectKind(asked, 'Unavailable');
      await expect(asked).rejects.toThrow(/embedded containerd does not answer/);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await daemon.ensureRunning()).toMatch(/^v?\d/);
    expect(await pidOf()).toBe(pid);
    await user.release();
  });

  test('a root whose socket path is too long is refused before anything is made', async () => {
    const long = path.join(root, 'x'.repeat(100));
    const acquired = acquireEmbedded(await embeddedOptions(long));
    await expectKind(acquired, 'InvalidArgument');
    await expect(acquired).rejects.toThrow(/too long/);
    expect(await readdir(root)).not.toContain('x'.repeat(100));
  });
});
