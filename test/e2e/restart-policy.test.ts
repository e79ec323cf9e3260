import { afterEach, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// Containers that are started again by their restart policy.

const job = useJob();

async function inspect(berth: Berth, name: string, format: string): Promise<string> {
  return ask(berth, 'inspect', '-f', format, name);
}

async function runPolicy(berth: Berth, policy: string, script: string): Promise<string> {
  return ask(berth, 'run', '-d', '--restart', policy, 'busybox', 'sh', '-c', script);
}

describe('a container that fails', () => {
  test('on-failure:2 starts it twice more, then it stays down', async () => {
    const { berth } = job;
    const id = await runPolicy(berth, 'on-failure:2', 'echo run; exit 3');
    await expect.poll(() => inspect(berth, id, '{{.State.Status}}'), { timeout: 20_000 }).toBe('exited');
    expect(await inspect(berth, id, '{{.RestartCount}} {{.State.ExitCode}} {{.State.Restarting}}')).toBe(
      '2 3 false',
    );
    expect(await ask(berth, 'logs', id)).toBe('run\nrun\nrun');
    expect(await ask(berth, 'wait', id)).toBe('3');
    await ask(berth, 'rm', id);
  });

  test('on-failure leaves success alone', async () => {
    const { berth } = job;
    const id = await runPolicy(berth, 'on-failure', 'exit 0');
    await ask(berth, 'wait', id);
    expect(await inspect(berth, id, '{{.State.Status}} {{.RestartCount}}')).toBe('exited 0');
    await ask(berth, 'rm', id);
  });

  test('a start by a user counts anew', async () => {
    const { berth } = job;
    const id = await runPolicy(berth, 'on-failure:1', 'echo run; exit 3');
    await expect.poll(() => inspect(berth, id, '{{.State.Status}}'), { timeout: 20_000 }).toBe('exited');
    await ask(berth, 'start', id);
    await expect.poll(() => ask(berth, 'logs', id), { timeout: 20_000 }).toBe('run\nrun\nrun\nrun');
    await expect.poll(() => inspect(berth, id, '{{.State.Status}}'), { timeout: 20_000 }).toBe('exited');
    expect(await inspect(berth, id, '{{.RestartCount}}')).toBe('1');
    await ask(berth, 'rm', id);
  });
});

describe('between two runs', () => {
  async function restarting(berth: Berth): Promise<string> {
    const id = await runPolicy(berth, 'always', 'exit 4');
    // The back-off has grown enough by then for the questions below.
    await expect
      .poll(() => inspect(berth, id, '{{.State.Status}} {{ge .RestartCount 5}}'), { timeout: 60_000 })
      .toBe('restarting true');
    return id;
  }

  test('inspect, list, filters and refusals say restarting', async () => {
    const { berth } = job;
    const id = await restarting(berth);
    const format = '{{.State.Status}} {{.State.Running}} {{.State.Restarting}} {{.State.Pid}}';
    await expect.poll(() => inspect(berth, id, format)).toBe('restarting true true 0');
    await expect.poll(() => ask(berth, 'ps', '--format', '{{.Status}}')).toMatch(/^Restarting \(4\) .+ ago$/);
    await expect.poll(() => ask(berth, 'ps', '-q', '--no-trunc', '--filter', 'status=restarting')).toBe(id);
    await expect
      .poll(async () => (await berth.docker(['exec', id, 'true'])).stderr)
      .toContain('is restarting, wait until the container is running');
    expect((await berth.docker(['rm', id])).stderr).toMatch(/container is (restarting|running)/);
    await ask(berth, 'rm', '-f', id);
    expect((await berth.docker(['inspect', id])).code).toBe(1);
  });

  test('stop ends it for good, and whoever waits is told', async () => {
    const { berth } = job;
    const id = await restarting(berth);
    const wait = ask(berth, 'wait', id);
    await ask(berth, 'stop', id);
    expect(await wait).toBe('4');
    expect(await inspect(berth, id, '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 4');
    const count = await inspect(berth, id, '{{.RestartCount}}');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await inspect(berth, id, '{{.State.Status}} {{.RestartCount}}')).toBe(`exited ${count}`);
    await ask(berth, 'rm', id);
  });
});

describe('a user who ends it', () => {
  test.each([['always'], ['unless-stopped'], ['on-failure']])(
    '%s: stop and kill keep it down',
    async (policy) => {
      const { berth } = job;
      const id = await runPolicy(berth, policy, 'sleep 1000');
      await ask(berth, 'kill', id);
      expect(await inspect(berth, id, '{{.State.Status}} {{.State.ExitCode}}')).toBe('exited 137');
      await ask(berth, 'start', id);
      await ask(berth, 'stop', '-t', '0', id);
      expect(await inspect(berth, id, '{{.State.Status}} {{.RestartCount}}')).toBe('exited 0');
      await ask(berth, 'rm', id);
    },
  );

  test('what ends by itself after a restart by hand is started again', async () => {
    const { berth } = job;
    const id = await runPolicy(berth, 'unless-stopped', 'sleep 1000');
    await ask(berth, 'restart', '-t', '0', id);
    const pid = await inspect(berth, id, '{{.State.Pid}}');
    process.kill(Number(pid), 'SIGKILL');
    await expect
      .poll(() => inspect(berth, id, '{{.State.Status}} {{.RestartCount}}'), { timeout: 20_000 })
      .toBe('running 1');
    await ask(berth, 'rm', '-f', id);
  });
});

test('--rm and a policy exclude each other', async () => {
  const { code, stderr } = await job.berth.docker(['run', '--rm', '--restart', 'always', 'busybox', 'true']);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/conflict|AutoRemove|restart/i);
});

describe('berth is killed and started again', () => {
  const homes = new Set<BerthDirectories>();
  const berths = new Set<Berth>();
  afterEach(async () => {
    for (const berth of berths) await berth.stop();
    for (const home of homes) await removeDirectories(home);
    berths.clear();
    homes.clear();
  });

  test('what died meanwhile runs again if its policy says so, what was stopped stays down', async () => {
    const home = await makeDirectories();
    homes.add(home);
    const first = await startBerth({ job: 'again', directories: home });
    berths.add(first);
    await loadBusybox(first);
    const always = await runPolicy(first, 'always', 'echo run; sleep 1000');
    const never = await ask(first, 'run', '-d', 'busybox', 'sleep', '1000');
    const stopped = await runPolicy(first, 'always', 'sleep 1000');
    await ask(first, 'stop', '-t', '0', stopped);
    const waiting = await runPolicy(first, 'always', 'echo run; exit 1');
    await expect
      .poll(() => inspect(first, waiting, '{{.State.Status}} {{ge .RestartCount 3}}'), { timeout: 30_000 })
      .toBe('restarting true');
    const pids = await Promise.all([always, never].map((id) => inspect(first, id, '{{.State.Pid}}')));
    await first.kill9();
    berths.delete(first);
    for (const pid of pids) process.kill(Number(pid), 'SIGKILL');

    const second = await startBerth({ job: 'again', directories: home });
    berths.add(second);
    await expect
      .poll(() => inspect(second, always, '{{.State.Status}} {{.RestartCount}}'), { timeout: 20_000 })
      .toBe('running 1');
    await expect.poll(() => ask(second, 'logs', always)).toBe('run\nrun');
    await expect.poll(() => inspect(second, never, '{{.State.Status}}')).toBe('exited');
    expect(await inspect(second, stopped, '{{.State.Status}}')).toBe('exited');
    await expect
      .poll(() => inspect(second, waiting, '{{ge .RestartCount 5}}'), { timeout: 30_000 })
      .toBe('true');
    const { code, report } = await second.stop();
    berths.delete(second);
    expect({ code, leaks: report?.leaks }, second.logs()).toEqual({ code: 0, leaks: [] });
  });
});
