import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createHostCgroups } from './cgroups.ts';
import { readHighestUlimits, readHostFacts } from './facts.ts';

describe('host facts', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'berth-facts-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };

  test('they agree with what other programs say of this machine', async () => {
    const facts = await readHostFacts(await createHostCgroups());
    expect(facts.cpus).toBe(Number(execFileSync('nproc', { encoding: 'utf8' })));
    expect(facts.machine).toBe(execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim());
    expect(facts.lastCap).toBe(Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8')));
    expect(facts.boundingSet.toString(16).padStart(16, '0')).toBe(
      /CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1],
    );
    expect(facts.limits.memory).toBe(true);
    expect(facts.osName).not.toBe('');
  });

  test('each is read from its file', async () => {
    put('proc/self/status', 'Name:\tx\nCapBnd:\t000001fffeffffff\nSeccomp:\t0\n');
    put('proc/sys/kernel/cap_last_cap', '40\n');
    put('proc/sys/kernel/seccomp/actions_avail', 'kill_process errno\n');
    put('proc/sys/net/ipv4/ip_forward', '1\n');
    put('sys/module/apparmor/parameters/enabled', 'Y\n');
    put('sys/fs/selinux/enforce', '1');
    put('usr/lib/os-release', 'NAME="X"\nPRETTY_NAME="Some Linux 1"\nVERSION_ID=1.2\n');
    expect(await readHostFacts(await createHostCgroups(), root)).toMatchObject({
      boundingSet: 0x1fffeffffffn,
      lastCap: 40,
      hasSeccomp: true,
      hasAppArmor: true,
      hasSelinux: true,
      ipv4Forwarding: true,
      bridgeNfIptables: false,
      osName: 'Some Linux 1',
      osVersion: '1.2',
    });
  });

  test('a kernel without a bounding set is an error, not a guess', async () => {
    await expect(readHostFacts(await createHostCgroups(), root)).rejects.toMatchObject({
      kind: 'Unavailable',
    });
  });
});

test.each([
  { canRaise: true, mostFiles: '1048576\n', expected: [['nofile', 1_048_576]] },
  {
    canRaise: false,
    mostFiles: '1048576\n',
    expected: [
      ['memlock', 65_536],
      ['nofile', 4096],
    ],
  },
])('the highest limits of processes that can raise theirs: $canRaise', ({ expected, ...machine }) => {
  const ownLimits =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max cpu time              unlimited            unlimited            seconds   \n' +
    'Max open files            1024                 4096                 files     \n' +
    'Max locked memory         65536                65536                bytes     \n';
  expect([...readHighestUlimits({ ...machine, ownLimits })]).toEqual(expected);
});
