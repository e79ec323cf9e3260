import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { createHostProcesses } from './processes.ts';
import { createRuntimeCalls } from './runtime-calls.ts';

vi.setConfig({ testTimeout: 30_000 });

const calls = createRuntimeCalls(createHostProcesses());
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const newId = (): string => randomBytes(32).toString('hex');

/** A program that is called as the shim calls the runtime, and starts one below another; answers their numbers. */
async function startRuntime(
  pidFile: string,
  script: string,
): Promise<{ child: ChildProcess; inner: number }> {
  const child = spawn('sh', ['-c', script, 'runc', '--pid-file', pidFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, inner: Number(line.toString()) };
}

const isRunning = async (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'latin1').then(
    (stat) => !/\) [ZX] /.test(stat),
    () => false,
  );

const WAITING = 'sh -c \'sh -c "echo \\$\\$; exec sleep 1000"; :\'';

test('kills what the runtime has started, and lets it come to its own end', async () => {
  const [containerId, execId] = [newId(), newId()];
  const { child, inner } = await startRuntime(`/x/${containerId}/${execId}.pid`, `${WAITING}; exit 7`);
  const ended = once(child, 'exit');
  expect(await calls.endStart({ containerId, execId })).toBe(true);
  expect(await ended).toEqual([7, null]);
  expect(await isRunning(inner)).toBe(false);
});

test('kills a runtime that does not end by itself, and all that it starts anew', async () => {
  const containerId = newId();
  const { child } = await startRuntime(`/x/${containerId}/init.pid`, `while :; do ${WAITING}; done`);
  let last = 0;
  child.stdout?.on('data', (data: Buffer) => {
    last = Number(data.toString().trim().split('\n').at(-1));
  });
  const ended = once(child, 'exit');
  expect(await calls.endStart({ containerId })).toBe(true);
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(last).toBeGreaterThan(0);
  expect(await isRunning(last)).toBe(false);
});

test('leaves the starts of others alone', async () => {
  const [containerId, execId] = [newId(), newId()];
  const { inner } = await startRuntime(`/x/${containerId}/${execId}.pid`, WAITING);
  expect(await calls.endStart({ containerId })).toBe(false);
  expect(await calls.endStart({ containerId, execId: newId() })).toBe(false);
  expect(await calls.endStart({ containerId: newId(), execId })).toBe(false);
  expect(await isRunning(inner)).toBe(true);
  expect(await calls.endStart({ containerId, execId })).toBe(true);
});
