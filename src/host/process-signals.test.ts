import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createHostCgroups } from './cgroups.ts';
import { loadLibc } from './libc.ts';
import { createProcessSignals } from './process-signals.ts';
import type { HostCgroups, ProcessSignals } from './types.ts';

const SIGTERM = 15;

describe('signals for processes in cgroups', () => {
  const parent = `/berth-signals-${process.pid}`;
  const cgroupName = 'one-container';
  let cgroups: HostCgroups;
  let signals: ProcessSignals;
  let child: ChildProcess;
  beforeEach(async () => {
    cgroups = await createHostCgroups();
    signals = createProcessSignals(await loadLibc());
    child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    await once(child, 'spawn');
  });
  afterEach(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await cgroups.remove(parent);
  });

  const pidOf = (): number => child.pid ?? 0;
  const enter = async (cgroup: string): Promise<void> => {
    await cgroups.create(cgroup);
    for (const path of cgroups.paths(cgroup)) writeFileSync(join(path, 'cgroup.procs'), String(pidOf()));
  };

  test.each(['', '/below'])('reach one in the cgroup, or below it: %j', async (below) => {
    await enter(`${parent}/${cgroupName}${below}`);
    expect(signals.send({ pid: pidOf(), cgroupName }, SIGTERM)).toBe(true);
    const [, signal] = (await once(child, 'exit')) as [unknown, string];
    expect(signal).toBe('SIGTERM');
  });

  test('do not reach another one that has got the number', async () => {
    await enter(`${parent}/${cgroupName}-of-another`);
    expect(signals.send({ pid: pidOf(), cgroupName }, SIGTERM)).toBe(false);
    expect(process.kill(pidOf(), 0)).toBe(true);
    expect(child.signalCode).toBeNull();
  });

  test('are not sent where the process is gone', async () => {
    await enter(`${parent}/${cgroupName}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(signals.send({ pid: pidOf(), cgroupName }, SIGTERM)).toBe(false);
  });
});
