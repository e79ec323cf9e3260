import { beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

// Containers that are probed for their health.

const job = useJob();
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '-d', ...args);
const inspect = (id: string, format: string): Promise<string> => ask(job.berth, 'inspect', '-f', format, id);
const statusOf = (id: string): Promise<string> => inspect(id, '{{.State.Health.Status}}');
const QUICK = ['--health-interval', '200ms', '--health-retries', '2'];
const SLEEP = ['busybox', 'sleep', '1000'];

interface Result {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

async function logOf(id: string): Promise<readonly Result[]> {
  return JSON.parse(await inspect(id, '{{json .State.Health.Log}}')) as Result[];
}

describe('health', () => {
  test('starting, healthy, unhealthy, healthy again, with events, list and filter', async () => {
    const { berth } = job;
    const since = String(Math.floor(Date.now() / 1000) - 1);
    // The first probe takes as long as the questions about the state before it.
    const looks = 'until [ -e /begin ]; do sleep 0.05; done; echo looked; test ! -e /sick';
    const id = await run(...QUICK, '--health-cmd', looks, ...SLEEP);
    expect(await statusOf(id)).toBe('starting');
    expect(await ask(berth, 'ps', '--format', '{{.Status}}')).toContain('(health: starting)');
    await ask(berth, 'exec', id, 'touch', '/begin');
    await expect.poll(() => statusOf(id)).toBe('healthy');
    expect(await ask(berth, 'ps', '--format', '{{.Status}}')).toMatch(/^Up .+ \(healthy\)$/);
    expect(await ask(berth, 'ps', '-q', '--no-trunc', '--filter', 'health=healthy')).toBe(id);
    expect(await ask(berth, 'ps', '-q', '--filter', 'health=none')).toBe('');
    await ask(berth, 'exec', id, 'touch', '/sick');
    await expect.poll(() => statusOf(id)).toBe('unhealthy');
    expect(Number(await inspect(id, '{{.State.Health.FailingStreak}}'))).toBeGreaterThanOrEqual(2);
    expect(await ask(berth, 'ps', '--format', '{{.Status}}')).toContain('(unhealthy)');
    await ask(berth, 'exec', id, 'rm', '/sick');
    await expect.poll(() => statusOf(id)).toBe('healthy');
    expect((await logOf(id)).at(-1)).toMatchObject({ ExitCode: 0, Output: 'looked\n' });
    await ask(berth, 'rm', '-f', id);
    const until = String(Math.ceil(Date.now() / 1000));
    const format = ['--format', '{{.Action}}', '--filter', `container=${id}`];
    const actions = (await ask(berth, 'events', '--since', since, '--until', until, ...format)).split('\n');
    expect(actions.filter((action) => action.startsWith('health_status'))).toEqual([
      'health_status: healthy',
      'health_status: unhealthy',
      'health_status: healthy',
    ]);
    const probe = `/bin/sh -c ${looks}`;
    expect(actions.filter((action) => action.startsWith('exec_') && action !== 'exec_die')).toEqual(
      expect.arrayContaining([`exec_create: ${probe}`, `exec_start: ${probe}`]),
    );
    expect(actions).toContain('exec_die');
  });

  test('the last five results are kept', async () => {
    const id = await run('--health-interval', '100ms', '--health-cmd', 'true', ...SLEEP);
    await expect.poll(async () => (await logOf(id)).length).toBe(5);
    const [first] = await logOf(id);
    await expect.poll(async () => (await logOf(id))[0]?.Start, { timeout: 20_000 }).not.toBe(first?.Start);
    const log = await logOf(id);
    expect(log).toHaveLength(5);
    const times = log.flatMap(({ Start, End }) => [Date.parse(Start), Date.parse(End)]);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await ask(job.berth, 'rm', '-f', id);
  });

  test('a probe that takes too long is killed and is a failure', async () => {
    const probe = 'echo begun; exec sleep 987';
    const id = await run(...QUICK, '--health-timeout', '1s', '--health-cmd', probe, ...SLEEP);
    await expect.poll(() => statusOf(id), { timeout: 20_000 }).toBe('unhealthy');
    // On a busy machine one of them may be killed before it has begun.
    const output = 'Health check exceeded timeout (1s): begun\n';
    await expect
      .poll(() => logOf(id))
      .toContainEqual(expect.objectContaining({ ExitCode: -1, Output: output }));
    await ask(job.berth, 'rm', '-f', id);
  });

  test('output beyond 4096 bytes is cut', async () => {
    const probe = 'i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done';
    const id = await run(...QUICK, '--health-cmd', probe, ...SLEEP);
    await expect.poll(() => statusOf(id)).toBe('healthy');
    const output = (await logOf(id))[0]?.Output ?? '';
    expect(output).toHaveLength(4099);
    expect(output.endsWith('...')).toBe(true);
    await ask(job.berth, 'rm', '-f', id);
  });

  test('failures in the start period do not count, and the start interval is shorter', async () => {
    const start = ['--health-start-period', '100s', '--health-start-interval', '100ms'];
    const slow = ['--health-interval', '1h', '--health-retries', '1'];
    const probe = 'test -e /ready';
    const id = await run(...slow, ...start, '--health-cmd', probe, ...SLEEP);
    await expect.poll(async () => (await logOf(id)).length).toBeGreaterThan(1);
    expect(await inspect(id, '{{.State.Health.Status}} {{.State.Health.FailingStreak}}')).toBe('starting 0');
    await ask(job.berth, 'exec', id, 'touch', '/ready');
    await expect.poll(() => statusOf(id)).toBe('healthy');
    await ask(job.berth, 'rm', '-f', id);
  });

  test('the probe has the container’s environment, user and directory', async () => {
    const container = ['-e', 'WHO=me', '-u', '1234:77', '-w', '/tmp'];
    const id = await run(
      ...QUICK,
      ...container,
      '--health-cmd',
      'echo $WHO $(id -u):$(id -g) $PWD',
      ...SLEEP,
    );
    await expect.poll(() => statusOf(id)).toBe('healthy');
    expect((await logOf(id))[0]?.Output).toBe('me 1234:77 /tmp\n');
    await ask(job.berth, 'rm', '-f', id);
  });
});

describe('when there is nothing to probe', () => {
  test('State.Health is absent: no check, --no-healthcheck, or not yet started', async () => {
    const { berth } = job;
    const plain = await run(...SLEEP);
    const created = await ask(berth, 'create', '--health-cmd', 'true', ...SLEEP);
    for (const id of [plain, created])
      expect(await inspect(id, '{{json .State}}'), id).not.toContain('Health');
    expect(await ask(berth, 'ps', '-q', '--no-trunc', '--filter', 'health=none')).toBe(plain);
    await ask(berth, 'rm', '-f', plain, created);
  });

  test('a container that ended or is paused is not probed and counts as unhealthy, and starts anew', async () => {
    const { berth } = job;
    const id = await run(...QUICK, '--health-cmd', 'true', ...SLEEP);
    await expect.poll(() => statusOf(id)).toBe('healthy');
    await ask(berth, 'pause', id);
    expect(await statusOf(id)).toBe('unhealthy');
    await ask(berth, 'unpause', id);
    await expect.poll(() => statusOf(id)).toBe('healthy');
    await ask(berth, 'stop', '-t', '0', id);
    expect(await statusOf(id)).toBe('unhealthy');
    const ended = await logOf(id);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await logOf(id)).toEqual(ended);
    await ask(berth, 'start', id);
    expect(await statusOf(id)).toMatch(/^(starting|healthy)$/);
    await expect.poll(() => statusOf(id)).toBe('healthy');
    await ask(berth, 'rm', '-f', id);
  });
});

describe('a check of the image', () => {
  beforeAll(async () => {
    const healthcheck = { Test: ['CMD', 'cat', '/etc/hostname'], Interval: 200_000_000 };
    const image = await buildImage({ cmd: ['sleep', '1000'], healthcheck });
    const input = await dockerArchive([{ image, tags: ['checked:latest'] }]);
    expect((await job.berth.docker(['load'], { input })).code).toBe(0);
  });

  test('is run, in exec form', async () => {
    const id = await run('-h', 'box', 'checked');
    await expect.poll(() => statusOf(id)).toBe('healthy');
    expect((await logOf(id))[0]?.Output).toBe('box\n');
    await ask(job.berth, 'rm', '-f', id);
  });

  test('--no-healthcheck takes it away, --health-cmd replaces it', async () => {
    const none = await run('--no-healthcheck', 'checked');
    expect(await inspect(none, '{{json .State}}')).not.toContain('Health');
    const other = await run('--health-cmd', 'echo other', 'checked');
    await expect.poll(async () => (await logOf(other))[0]?.Output).toBe('other\n');
    await ask(job.berth, 'rm', '-f', none, other);
  });
});

test('twenty at once become healthy', async () => {
  const ids = await Promise.all(
    Array.from({ length: 20 }, () => run('--health-interval', '1s', '--health-cmd', 'true', ...SLEEP)),
  );
  await expect
    .poll(async () => (await ask(job.berth, 'ps', '-q', '--filter', 'health=healthy')).split('\n').length, {
      timeout: 60_000,
    })
    .toBe(20);
  await ask(job.berth, 'rm', '-f', ...ids);
});
