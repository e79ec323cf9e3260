import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCommandLine } from '../config/load.ts';
import type { Containerd } from '../containerd/types.ts';
import { EngineError } from '../errors.ts';
import { jobNames, type JobNames } from './job-names.ts';
import { openHost } from './open-host.ts';
import { removeTraces } from './remove-traces.ts';

let home: string;
let names: JobNames;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'berth-traces-'));
  const { settings } = loadCommandLine(['--root', join(home, 'r'), '--run-dir', join(home, 'run')], 'serve');
  names = jobNames(settings, `traces-${String(process.pid)}`);
  await mkdir(names.paths.stateDir, { recursive: true });
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A containerd that has died. */
function deadContainerd(): Containerd {
  const refuse = (): Promise<never> =>
    Promise.reject(new EngineError('Unavailable', 'cannot connect to containerd'));
  const service = new Proxy({}, { get: () => refuse });
  const parts = { address: '/none', namespace: names.namespace };
  const containerd: unknown = new Proxy(parts, {
    get: (target, name) => {
      if (name === 'inNamespace') return () => containerd;
      return name in target ? (Reflect.get(target, name) as unknown) : service;
    },
  });
  return containerd as Containerd;
}

test('the directory by which gc finds a job stays where its containers could not be removed', async () => {
  const host = await openHost(names);
  const left = await removeTraces(names, host, deadContainerd());
  expect(left).toContain('tasks: cannot connect to containerd');
  expect(existsSync(names.paths.stateDir)).toBe(true);
  expect(await removeTraces(names, host, undefined)).toEqual([]);
  expect(existsSync(dirname(names.paths.stateDir))).toBe(false);
});
