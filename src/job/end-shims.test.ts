import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createHostProcesses } from '../host/processes.ts';
import { endShims } from './end-shims.ts';
import { withShimWatch } from './watch-shims.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const directory = mkdtempSync(join(tmpdir(), 'berth-shims-'));
const shimProgram = join(directory, 'containerd-shim-runc-v2');
symlinkSync('/bin/bash', shimProgram);
afterAll(() => rmSync(directory, { recursive: true }));

/** A process that bears a shim's name and its words. */
async function startLikeShim(namespace: string, address: string): Promise<ChildProcess> {
  const script = 'echo up; read -r line';
  const options = ['-namespace', namespace, '-id', 'task', '-address', address];
  const child = spawn(shimProgram, ['-c', script, ...options]);
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

test('ends the shims of the namespace at that address, and no others', async () => {
  const address = '/tmp/berth-no-such/containerd.sock';
  const orphan = await startLikeShim('berth-gone', address);
  const ofOtherJob = await startLikeShim('berth-other', address);
  const ofOtherContainerd = await startLikeShim('berth-gone', '/run/containerd/containerd.sock');
  const ended = once(orphan, 'exit');
  const processes = createHostProcesses();
  await endShims(processes, { namespace: 'berth-gone', address });
  await ended;
  await endShims(processes, { namespace: 'berth-gone', address });
  expect([ofOtherJob.exitCode, ofOtherJob.signalCode]).toEqual([null, null]);
  expect([ofOtherContainerd.exitCode, ofOtherContainerd.signalCode]).toEqual([null, null]);
});

test('a shim that is stopped does not hold up what waits for it', async () => {
  const containerd = { namespace: 'berth-stuck', address: '/tmp/berth-no-such/containerd.sock' };
  const shim = await startLikeShim(containerd.namespace, containerd.address);
  shim.kill('SIGSTOP');
  const watch = { processes: createHostProcesses(), containerd, stuckMs: 100 };
  const [, signal] = (await withShimWatch(watch, () => once(shim, 'exit'))) as [unknown, string];
  expect(signal).toBe('SIGKILL');
});

test('while something gets on, no shim is ended', async () => {
  const containerd = { namespace: 'berth-slow', address: '/tmp/berth-no-such/containerd.sock' };
  const shim = await startLikeShim(containerd.namespace, containerd.address);
  const watch = { processes: createHostProcesses(), containerd, stuckMs: 2_000 };
  await withShimWatch(watch, async (reportProgress) => {
    for (let round = 0; round < 5; round += 1) {
      await sleep(500);
      reportProgress();
    }
  });
  expect([shim.exitCode, shim.signalCode]).toEqual([null, null]);
});
