import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { listHostDevices } from './devices.ts';
import { loadLibc } from './libc.ts';

const made: string[] = [];
afterEach(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true });
});

test('finds device nodes with their numbers, below directories too, and nothing else', async () => {
  const directory = await mkdtemp('/tmp/berth-devices-');
  made.push(directory);
  const libc = await loadLibc();
  await libc.mknod({ path: join(directory, 'zero'), mode: 0o20666, major: 1, minor: 5 });
  await libc.mknod({ path: join(directory, 'large'), mode: 0o60640, major: 259, minor: 70_000 });
  await symlink('zero', join(directory, 'link'));
  const devices = await listHostDevices(directory);
  expect(
    devices
      .map(({ path, type, major, minor }) => ({ path, type, major, minor }))
      .toSorted((a, b) => a.major - b.major),
  ).toEqual([
    { path: join(directory, 'zero'), type: 'c', major: 1, minor: 5 },
    { path: join(directory, 'large'), type: 'b', major: 259, minor: 70_000 },
  ]);
});
