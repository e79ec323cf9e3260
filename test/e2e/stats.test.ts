import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { runCommand } from '../support/e2e-process.ts';

// What containers use, as docker stats shows it and as the API tells it.

const job = useJob();

interface Stats {
  readonly id: string;
  readonly name: string;
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: { readonly current?: number; readonly limit?: number };
  readonly cpu_stats: Cpu;
  readonly precpu_stats: Cpu;
  readonly memory_stats: { readonly usage?: number; readonly limit?: number; readonly stats?: object };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
}

interface Cpu {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

async function get(path: string): Promise<string> {
  const { stdout } = await runCommand({
    program: 'curl',
    args: ['-s', '--max-time', '30', '--unix-socket', job.berth.ready.socket, `http://localhost${path}`],
    env: job.berth.clientEnv,
  });
  return stdout;
}

async function statsOf(id: string, query: string): Promise<Stats> {
  return JSON.parse(await get(`/v1.41/containers/${id}/stats?${query}`)) as Stats;
}

const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '-d', ...args);
const SPIN = ['busybox', 'sh', '-c', 'while :; do :; done'];

describe('docker stats', () => {
  test('prints processor, memory, network and processes', async () => {
    const id = await run('--name', 'busy', '--memory', '64m', '--pids-limit', '20', ...SPIN);
    const format = '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}} {{.NetIO}}';
    const line = await ask(job.berth, 'stats', '--no-stream', '--format', format, id);
    const [name, cpu = '', used = '', , limit, pids, received] = line.split(' ');
    expect([name, limit, pids]).toEqual(['busy', '64MiB', '1']);
    // How much of a processor it gets depends on who else wants one.
    expect(Number.parseFloat(cpu)).toBeGreaterThan(0);
    expect(used).toMatch(/^[\d.]+[KM]iB$/);
    expect(received).toMatch(/^[\d.]+k?B$/);
    await ask(job.berth, 'rm', '-f', id);
  });

  test('of a container that does not run is empty', async () => {
    const id = await ask(job.berth, 'create', ...SPIN);
    const format = '{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}';
    expect(await ask(job.berth, 'stats', '--no-stream', '--format', format, id)).toBe('0.00% 0B / 0B 0');
    await ask(job.berth, 'rm', id);
  });
});

describe('the answer', () => {
  test('one shot: a sample at once, and none before it', async () => {
    const id = await run(...SPIN);
    const stats = await statsOf(id, 'stream=false&one-shot=1');
    expect(stats).toMatchObject({ id, preread: '0001-01-01T00:00:00Z', pids_stats: { current: 1 } });
    expect(stats.precpu_stats.cpu_usage.total_usage).toBe(0);
    expect(stats.precpu_stats.system_cpu_usage).toBeUndefined();
    await ask(job.berth, 'rm', '-f', id);
  });

  test('without a stream: two samples a second apart', async () => {
    const id = await run('--memory', '64m', ...SPIN);
    const stats = await statsOf(id, 'stream=false');
    expect(Date.parse(stats.read) - Date.parse(stats.preread)).toBeGreaterThanOrEqual(990);
    const { cpu_stats: now, precpu_stats: before } = stats;
    const cpuDelta = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
    const systemDelta = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
    expect(cpuDelta).toBeGreaterThan(0);
    expect(cpuDelta / systemDelta).toBeLessThan(1.1);
    expect(now.online_cpus).toBeGreaterThan(0);
    expect(stats.memory_stats).toMatchObject({ limit: 64 << 20 });
    expect(stats.memory_stats.usage).toBeGreaterThan(0);
    expect(Object.keys(stats.memory_stats.stats ?? {})).toEqual(
      expect.arrayContaining([expect.stringContaining('inactive_file')]),
    );
    await ask(job.berth, 'rm', '-f', id);
  });

  test('the interfaces are the container’s own', async () => {
    const bridged = await run(...SPIN);
    await ask(
      job.berth,
      'exec',
      bridged,
      'sh',
      '-c',
      'ping -c 2 -w 2 $(ip route | awk "/default/ {print \\$3}") || true',
    );
    const { networks } = await statsOf(bridged, 'stream=false&one-shot=1');
    expect(Object.keys(networks ?? {})).toEqual(['eth0']);
    expect(networks?.['eth0']?.tx_bytes).toBeGreaterThan(0);
    for (const mode of ['none', 'host']) {
      const id = await run('--network', mode, ...SPIN);
      expect((await statsOf(id, 'stream=false&one-shot=1')).networks, mode).toBeUndefined();
      await ask(job.berth, 'rm', '-f', id);
    }
    await ask(job.berth, 'rm', '-f', bridged);
  });

  test('a stream has one sample per second, and ends with the container', async () => {
    const id = await run(...SPIN);
    const stream = get(`/containers/${id}/stats`);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await ask(job.berth, 'rm', '-f', id);
    const samples = (await stream)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Stats);
    expect(samples.length).toBeGreaterThanOrEqual(2);
    // How many there are depends on how long the removal takes.
    for (const [index, { read, preread }] of samples.slice(1).entries()) {
      expect(preread).toBe(samples[index]?.read);
      expect(Date.parse(read) - Date.parse(preread)).toBeGreaterThanOrEqual(900);
    }
  });

  test('an unknown container is not found', async () => {
    expect(await get('/containers/nobody/stats')).toBe('{"message":"No such container: nobody"}\n');
  });
});
