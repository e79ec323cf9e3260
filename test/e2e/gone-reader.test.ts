import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { makeDirectories, removeDirectories } from '../support/e2e-berth.ts';

const PROGRAM = resolve(import.meta.dirname, '../../bin/berth');

test('a job whose runner reads no more of it ends with its own exit code', async () => {
  const directories = await makeDirectories();
  const args = ['serve', '--job', 'unread', '--root', directories.root, '--run-dir', directories.runDir];
  const berth = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const told: Buffer[] = [];
  berth.stderr.on('data', (data: Buffer) => told.push(data));
  const ended = once(berth, 'close');
  const [ready] = (await once(createInterface(berth.stdout), 'line')) as [string];
  expect(ready).toContain('"ready":true');
  berth.stdout.destroy();
  berth.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(Buffer.concat(told).toString()).toContain('nobody reads what is told of the job');
  await removeDirectories(directories);
});
