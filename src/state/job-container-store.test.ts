import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJobContainerStore } from './job-container-store.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-job-container-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

it('is empty, then what was said last, for the next process too', async () => {
  const path = join(directory, 'job-container.json');
  const store = await openJobContainerStore(path);
  expect(store.get()).toBeUndefined();
  await store.set({ kind: 'process', pid: 5, startTime: '9' });
  await store.set({ kind: 'containerd', namespace: 'runner', id: 'abc' });
  expect(store.get()).toEqual({ kind: 'containerd', namespace: 'runner', id: 'abc' });
  expect((await openJobContainerStore(path)).get()).toEqual(store.get());
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it('does not guess what another version has written', async () => {
  const path = join(directory, 'job-container.json');
  await writeFile(path, '{"version":2}');
  await expect(openJobContainerStore(path)).rejects.toThrow('unknown version 2');
});
