import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createHostProcesses } from '../host/processes.ts';
import { endShims } from './end-shims.ts';

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
