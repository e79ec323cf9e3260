import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';

// Runners give one job after the other the same socket.

let directories: BerthDirectories;
let socket: string;
let first: Berth;

beforeEach(async () => {
  directories = await makeDirectories();
  socket = join(directories.home, 'd.sock');
  first = await startBerth({ job: 'first', directories, args: ['--socket', socket] });
});
afterEach(() => removeDirectories(directories));

test('the socket of a job that lives is not taken from it', async () => {
  await expect(startBerth({ job: 'second', directories, args: ['--socket', socket] })).rejects.toThrow(
    'another process answers on unix socket',
  );
  expect(await first.docker(['version'])).toMatchObject({ code: 0 });
  expect(await first.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
  expect(existsSync(socket)).toBe(false);
});

test('a job that ends leaves the next one its socket', async () => {
  const ending = first.stop();
  await expect.poll(() => existsSync(socket)).toBe(false);
  const next = createServer().listen(socket);
  await once(next, 'listening');
  try {
    expect(await ending).toMatchObject({ code: 0, report: { leaks: [] } });
    expect(existsSync(socket)).toBe(true);
  } finally {
    next.close();
  }
});
