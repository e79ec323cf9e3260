import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  runBerth,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';

// What happens when berth, or containerd, dies in the middle of a job; and how jobs share one containerd.

const berths = new Set<Berth>();
const homes = new Set<BerthDirectories>();

async function start(job: string, directories: BerthDirectories): Promise<Berth> {
  const berth = await startBerth({ job, directories });
  berths.add(berth);
  return berth;
}

async function directories(): Promise<BerthDirectories> {
  const made = await makeDirectories();
  homes.add(made);
  return made;
}

async function end(berth: Berth): Promise<void> {
  berths.delete(berth);
  const { code, report } = await berth.stop();
  expect({ code, leaks: report?.leaks }, berth.logs()).toEqual({ code: 0, leaks: [] });
}

afterEach(async () => {
  for (const berth of berths) await berth.stop();
  berths.clear();
  for (const home of homes) {
    await runBerth(['gc', '--root', home.root, '--run-dir', home.runDir], home);
    await removeDirectories(home);
  }
  homes.clear();
});

const TICKS = 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done';

describe('berth is killed', () => {
  test('and started again: it answers for its containers, and their output has no gap', async () => {
    const home = await directories();
    const first = await start('crash', home);
    await loadBusybox(first);
    const running = await ask(first, 'run', '-d', '--name', 'ticks', 'busybox', 'sh', '-c', TICKS);
    const ending = await ask(
      first,
      'run',
      '-d',
      '--name',
      'ends',
      'busybox',
      'sh',
      '-c',
      'echo begun; sleep 1; echo last words; exit 7',
    );
    const stopped = await ask(
      first,
      'run',
      '-d',
      '--name',
      'done',
      'busybox',
      'sh',
      '-c',
      'echo early; exit 3',
    );
    await ask(first, 'wait', stopped);
    await first.kill9();
    berths.delete(first);
    await new Promise((resolve) => setTimeout(resolve, 1500));

    const second = await start('crash', home);
    expect(await ask(second, 'inspect', '-f', '{{.State.Running}}', running)).toBe('true');
    expect(await ask(second, 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', stopped)).toBe(
      'exited 3',
    );
    expect(await ask(second, 'wait', ending)).toBe('7');
    expect(await ask(second, 'logs', ending)).toBe('begun\nlast words');
    expect(await ask(second, 'logs', stopped)).toBe('early');
    await ask(second, 'exec', 'ticks', 'true');
    await ask(second, 'stop', '-t', '0', 'ticks');
    const numbers = (await ask(second, 'logs', 'ticks'))
      .split('\n')
      .map((line) => Number(line.split(' ')[1]));
    expect(numbers.length).toBeGreaterThan(20);
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
    await end(second);
  });

  test('and a container that cannot be taken over is ended, while the others are served', async () => {
    const home = await directories();
    const first = await start('torn', home);
    await loadBusybox(first);
    const torn = await ask(first, 'run', '-d', '--name', 'torn', 'busybox', 'sleep', '1000');
    await ask(first, 'run', '-d', '--name', 'whole', 'busybox', 'sleep', '1000');
    await first.kill9();
    berths.delete(first);
    await rm(`${home.runDir}/torn/io/${torn}`, { recursive: true });

    const second = await start('torn', home);
    expect(await ask(second, 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'torn')).toBe(
      'exited 255',
    );
    await ask(second, 'exec', 'whole', 'true');
    await ask(second, 'start', 'torn');
    await ask(second, 'exec', 'torn', 'true');
    await end(second);
  });

  test('and gc removes every trace, twice without complaint', async () => {
    const home = await directories();
    const berth = await start('left', home);
    await loadBusybox(berth);
    await ask(berth, 'run', '-d', 'busybox', 'sleep', '1000');
    await ask(berth, 'run', '-d', '-v', 'data:/data', 'busybox', 'sleep', '1000');
    await berth.kill9();
    berths.delete(berth);
    const args = ['gc', '--root', home.root, '--run-dir', home.runDir];
    const gc = await runBerth(args, home);
    expect(gc.code, gc.stdout + gc.stderr).toBe(0);
    expect(JSON.parse(gc.stdout)).toEqual({ job: 'left', outcome: 'removed', leaks: [] });
    expect((await runBerth(args, home)).stdout).toBe('');
    expect(existsSync(berth.ready.netns)).toBe(false);
    expect(execFileSync('ps', ['-eo', 'args']).toString()).not.toContain(home.root);
  });

  test('gc leaves a live job alone', async () => {
    const home = await directories();
    const berth = await start('alive', home);
    const gc = await runBerth(['gc', '--root', home.root, '--run-dir', home.runDir], home);
    expect(JSON.parse(gc.stdout)).toMatchObject({ job: 'alive', outcome: 'live' });
    await ask(berth, 'ps');
    await end(berth);
  });
});

describe('one daemon per job', () => {
  test('a second one refuses to start', async () => {
    const home = await directories();
    const berth = await start('twice', home);
    const second = await runBerth(
      ['serve', '--job', 'twice', '--root', home.root, '--run-dir', home.runDir],
      home,
    );
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('job twice is already served by another berth');
    await ask(berth, 'ps');
    await end(berth);
  });

  test('a socket path over 107 bytes is an error that says so', async () => {
    const home = await directories();
    const socket = `${home.home}/${'x'.repeat(120)}.sock`;
    const { code, stderr } = await runBerth(
      ['serve', '--job', 'long', '--socket', socket, '--root', home.root, '--run-dir', home.runDir],
      home,
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain('107');
    expect(existsSync(`${home.root}/jobs/long`)).toBe(false);
  });
});

describe('one containerd for the jobs of a root', () => {
  test('two jobs that start at once share it, do not see each other, and the last one stops it', async () => {
    const home = await directories();
    const [one, two] = await Promise.all([start('one', home), start('two', home)]);
    expect(one.ready.containerd).toBe(two.ready.containerd);
    await Promise.all([loadBusybox(one), loadBusybox(two)]);
    const id = await ask(one, 'run', '-d', '--name', 'same', 'busybox', 'sleep', '1000');
    await ask(two, 'run', '-d', '--name', 'same', 'busybox', 'sleep', '1000');
    expect((await two.docker(['inspect', id])).code).toBe(1);
    await end(one);
    await ask(two, 'exec', 'same', 'true');
    await end(two);
    expect(existsSync(two.ready.containerd)).toBe(false);
  });
});

describe('containerd dies', () => {
  test('calls fail with a clear 503, and berth recovers by itself', async () => {
    const home = await directories();
    const berth = await start('outage', home);
    await loadBusybox(berth);
    await ask(berth, 'run', '-d', '--name', 'survivor', 'busybox', 'sh', '-c', TICKS);
    const before = await ask(berth, 'run', '-d', '--name', 'later', 'busybox', 'sh', '-c', 'sleep 3; exit 9');
    const [pid] = execFileSync('pgrep', ['-f', `containerd --config ${home.root}`])
      .toString()
      .split('\n');
    process.kill(Number(pid), 'SIGKILL');
    const during = await berth.docker(['run', '--rm', 'busybox', 'true']);
    if (during.code !== 0) expect(during.stderr).toContain('containerd');
    await expect
      .poll(async () => (await berth.docker(['run', '--rm', 'busybox', 'true'])).code, { timeout: 20_000 })
      .toBe(0);
    await ask(berth, 'exec', 'survivor', 'true');
    expect(await ask(berth, 'wait', before)).toBe('9');
    await end(berth);
  });
});

describe('the end of a job', () => {
  test('30 running containers are gone within half a minute of SIGTERM, however busy the machine is', async () => {
    const home = await directories();
    const berth = await start('thirty', home);
    await loadBusybox(berth);
    for (let batch = 0; batch < 6; batch += 1)
      await Promise.all(Array.from({ length: 5 }, () => ask(berth, 'run', '-d', 'busybox', 'sleep', '1000')));
    const startedAt = Date.now();
    await end(berth);
    expect(Date.now() - startedAt).toBeLessThan(30_000);
  });
});

describe('a shim that does not answer any more', () => {
  test.each([['the end of its job'], ['gc']])('does not hold up %s', async (way) => {
    const home = await directories();
    const berth = await start('hung', home);
    await loadBusybox(berth);
    await ask(berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const hung = await ask(berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const shims = `containerd-shim.* -namespace ${berth.ready.namespace} -id`;
    const pid = Number(execFileSync('pgrep', ['-f', `${shims} ${hung}`]).toString());
    process.kill(pid, 'SIGSTOP');
    if (way === 'gc') {
      await berth.kill9();
      berths.delete(berth);
      const gc = await runBerth(['gc', '--root', home.root, '--run-dir', home.runDir], home);
      expect(JSON.parse(gc.stdout)).toEqual({ job: 'hung', outcome: 'removed', leaks: [] });
    } else await end(berth);
    expect(spawnSync('pgrep', ['-f', shims]).stdout.toString()).toBe('');
  });
});

test('a job of an earlier boot is removed by the next start, one of this boot is not', async () => {
  const home = await directories();
  const [old, fresh] = [await start('old', home), await start('fresh', home)];
  for (const berth of [old, fresh]) {
    await berth.kill9();
    berths.delete(berth);
  }
  await writeFile(`${home.root}/jobs/old/boot`, 'another boot\n');
  const next = await start('next', home);
  await expect.poll(() => existsSync(`${home.root}/jobs/old`), { timeout: 20_000 }).toBe(false);
  expect(existsSync(`${home.root}/jobs/fresh`)).toBe(true);
  await end(next);
});
