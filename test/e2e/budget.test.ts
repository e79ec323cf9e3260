import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHostCgroups } from '../../src/host/cgroups.ts';
import { readHostFacts } from '../../src/host/facts.ts';
import type { HostCgroups } from '../../src/host/types.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { showLogsOnFailure, startBerth, type Berth } from '../support/e2e-berth.ts';
import { runCommand } from '../support/e2e-process.ts';

// What all containers of a job may use together: the job's cgroup stands above all of theirs.

const MIB = 2 ** 20;
const parent = `/berth-budget-${process.pid}`;
let berth: Berth;
let cgroups: HostCgroups;

beforeAll(async () => {
  cgroups = await createHostCgroups();
  const budget = ['--memory', '128m', '--cpus', '1.5', '--pids', '150', '--cgroup-parent', parent];
  const config = '[limits]\nnetworks = 1\nports = 1\n';
  berth = await startBerth({ job: 'budget', args: budget, config });
  await loadBusybox(berth);
});

afterAll(async () => {
  const end = await berth.stop();
  expect(end).toMatchObject({ code: 0, report: { leaks: [] } });
  expect(cgroups.paths(parent).filter((path) => existsSync(path))).toEqual([]);
});

showLogsOnFailure(() => [berth]);

async function inspect(id: string, format: string): Promise<string> {
  return ask(berth, 'inspect', '--format', format, id);
}

describe('the budget', () => {
  test('is the machine, as clients see it', async () => {
    expect(await ask(berth, 'info', '--format', '{{.NCPU}} {{.MemTotal}}')).toBe(`2 ${128 * MIB}`);
    const id = await ask(berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const shown = await ask(berth, 'stats', '--no-stream', '--format', '{{.MemUsage}}', id);
    expect(shown).toMatch(/ \/ 128MiB$/);
    await ask(berth, 'rm', '-f', id);
  });

  test('is what the kernel holds the job to', async () => {
    expect(await cgroups.limitsOf(`${parent}/budget`)).toEqual({
      memoryBytes: 128 * MIB,
      cpus: Math.min(1.5, (await cgroups.limitsOf(parent)).cpus ?? 1.5),
      pids: 150,
    });
  });

  test('cuts limits above it, at create and at update, and says so', async () => {
    const { stdout, stderr } = await berth.docker(['run', '-d', '-m', '1g', 'busybox', 'sleep', '1000']);
    const id = stdout.trim();
    expect(stderr).toContain(`Memory is cut to the job's budget, ${128 * MIB} bytes.`);
    expect(await inspect(id, '{{.HostConfig.Memory}}')).toBe(String(128 * MIB));
    const update = await berth.docker(['update', '--pids-limit', '4000', id]);
    expect(update.stdout + update.stderr).toContain("PidsLimit is cut to the job's budget, 150.");
    expect(await inspect(id, '{{.HostConfig.PidsLimit}}')).toBe('150');
    await ask(berth, 'rm', '-f', id);
  });

  test('cuts ulimits to what the machine can set, so that the container starts', async () => {
    const { highestUlimits } = await readHostFacts(cgroups);
    const ulimits = ['--ulimit', 'nofile=3000000', '--ulimit', 'memlock=-1'];
    const { stdout, code } = await berth.docker([
      'run',
      '--rm',
      ...ulimits,
      'busybox',
      'sh',
      '-c',
      'ulimit -n',
    ]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${Math.min(3_000_000, highestUlimits.get('nofile') ?? Infinity)}\n`,
    });
  });

  test("a cgroup parent of the client's is below the job's", async () => {
    const id = await ask(berth, 'run', '-d', '--cgroup-parent', '/../../a b', 'busybox', 'sleep', '1000');
    const pid = await inspect(id, '{{.State.Pid}}');
    const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
    const below = new RegExp(`:${parent}/budget/group-[0-9a-f]{16}/${id}$`);
    expect(lines.filter((line) => !below.test(line))).toEqual([]);
    expect(await inspect(id, '{{.HostConfig.CgroupParent}}')).toBe('/../../a b');
    await ask(berth, 'rm', '-f', id);
  });
});

describe('limits of the network', () => {
  test('one network and one port more are refused by name', async () => {
    await ask(berth, 'network', 'create', 'one');
    const second = await berth.docker(['network', 'create', 'two']);
    expect(second.stderr).toContain('the most it may have (limits.networks)');
    await ask(berth, 'network', 'rm', 'one');
    const ports = await berth.docker(['run', '--rm', '-p', '80', '-p', '81', 'busybox', 'true']);
    expect(ports.stderr).toContain('the most it may have (limits.ports)');
    expect(await ask(berth, 'run', '--rm', '-p', '80', 'busybox', 'echo', 'on')).toBe('on');
  });
});

describe('a container that takes all', () => {
  test('of the memory is killed, and its neighbour is not', async () => {
    const calm = await ask(berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const eater = await ask(berth, 'run', '-d', 'busybox', 'tail', '/dev/zero');
    expect(await ask(berth, 'wait', eater)).toBe('137');
    expect(await inspect(eater, '{{.State.OOMKilled}}')).toBe('true');
    expect(await inspect(calm, '{{.State.Status}} {{.State.OOMKilled}}')).toBe('running false');
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const format = '{{.Action}} {{.Actor.ID}}';
    const events = await ask(berth, 'events', '--since', '0', '--until', until, '--format', format);
    const kinds = events.split('\n').filter((line) => line.startsWith('oom'));
    expect(kinds).toEqual([`oom ${eater}`]);
    await ask(berth, 'rm', '-f', calm, eater);
  });

  test('of the processes leaves berth answering, and can be removed', async () => {
    const bomb = await ask(berth, 'run', '-d', 'busybox', 'sh', '-c', 'f() { f | f & }; f; sleep 1000');
    const pidsOf = async (): Promise<number> =>
      Number(await readFile(join(cgroups.rootOf('pids') ?? '', parent, 'budget/pids.current'), 'utf8'));
    await expect.poll(pidsOf, { timeout: 20_000 }).toBeGreaterThan(140);
    const ping = await runCommand({
      program: 'curl',
      args: ['-s', '--max-time', '20', '--unix-socket', berth.ready.socket, 'http://localhost/_ping'],
      env: berth.clientEnv,
    });
    expect(ping.stdout).toBe('OK');
    expect(await pidsOf()).toBeLessThanOrEqual(150);
    await ask(berth, 'rm', '-f', bomb);
    expect(await ask(berth, 'run', '--rm', 'busybox', 'echo', 'on')).toBe('on');
  });

  test('of the processes, held by others, is what a start says that it failed of', async () => {
    const holding = 'i=0; while [ $i -lt 146 ]; do sleep 1000 & i=$((i+1)); done; echo held; wait';
    const holder = await ask(berth, 'run', '-d', 'busybox', 'sh', '-c', holding);
    await expect.poll(() => ask(berth, 'logs', holder), { timeout: 20_000 }).toBe('held');
    const { code, stderr } = await berth.docker(['run', '--name', 'late', 'busybox', 'true']);
    expect(code).toBe(125);
    expect(stderr).toMatch(/: 14\d of the 150 processes that the job may have are in use/);
    await ask(berth, 'rm', '-f', holder);
    expect(await ask(berth, 'start', '-a', 'late')).toBe('');
    await ask(berth, 'rm', 'late');
  });
});
