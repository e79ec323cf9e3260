import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// The daily verbs of the docker CLI on real containers.

const job = useJob();
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);

describe('docker run', () => {
  test.each([
    { name: 'environment', args: ['-e', 'A=b c', 'busybox', 'sh', '-c', 'echo $A'], output: 'b c' },
    { name: 'working directory', args: ['-w', '/tmp/made', 'busybox', 'pwd'], output: '/tmp/made' },
    {
      name: 'numeric user',
      args: ['-u', '1234:4321', 'busybox', 'sh', '-c', 'id -u; id -g'],
      output: '1234\n4321',
    },
    { name: 'entrypoint', args: ['--entrypoint', 'echo', 'busybox', 'x', 'y'], output: 'x y' },
    { name: 'hostname', args: ['-h', 'box.example', 'busybox', 'hostname'], output: 'box.example' },
    {
      name: 'its name in hosts',
      args: ['-h', 'box', 'busybox', 'sh', '-c', 'grep -c box /etc/hosts'],
      output: '1',
    },
    { name: 'init', args: ['--init', 'busybox', 'sh', '-c', 'cat /proc/1/comm'], output: 'docker-init' },
    {
      name: 'ulimit',
      args: ['--ulimit', 'nofile=77:88', 'busybox', 'sh', '-c', 'ulimit -Sn; ulimit -Hn'],
      output: '77\n88',
    },
    {
      name: 'shm size',
      args: ['--shm-size', '8m', 'busybox', 'sh', '-c', "df -k /dev/shm | tail -1 | awk '{print $2}'"],
      output: '8192',
    },
    {
      name: 'no network',
      args: ['--network', 'none', 'busybox', 'sh', '-c', 'ls /sys/class/net'],
      output: 'lo',
    },
    { name: 'bridge network', args: ['busybox', 'sh', '-c', 'ls /sys/class/net'], output: 'eth0\nlo' },
    {
      name: 'stop signal in the image or not, a name',
      args: ['--name', 'named', 'busybox', 'true'],
      output: '',
    },
  ])('$name', async ({ args, output }) => {
    expect(await run(...args)).toBe(output);
  });

  test('read-only root: writes fail', async () => {
    const { code, stderr } = await job.berth.docker(['run', '--rm', '--read-only', 'busybox', 'touch', '/x']);
    expect(code).toBe(1);
    expect(stderr).toContain('Read-only file system');
  });

  test('stdout and stderr stay apart', async () => {
    const { stdout, stderr } = await job.berth.docker([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'echo out; echo err >&2',
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('stdin is read to its end', async () => {
    const { stdout } = await job.berth.docker(['run', '--rm', '-i', 'busybox', 'wc', '-c'], {
      input: 'x'.repeat(300_000),
    });
    expect(stdout.trim()).toBe('300000');
  });

  test('the default confinement is on', async () => {
    const status = await run('busybox', 'cat', '/proc/self/status');
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(status).toMatch(/^NoNewPrivs:\t0$/m);
    expect(status).toMatch(/^CapEff:\t00000000a80425fb$/m);
    expect(status).toMatch(/^CapInh:\t0000000000000000$/m);
    expect((await job.berth.docker(['run', '--rm', 'busybox', 'unshare', '-U', 'true'])).code).not.toBe(0);
    expect((await job.berth.docker(['run', '--rm', 'busybox', 'cat', '/proc/kcore'])).stdout).toBe('');
  });

  test('dropped capabilities are gone', async () => {
    expect(await run('--cap-drop', 'ALL', 'busybox', 'grep', 'CapEff', '/proc/self/status')).toContain(
      '0000000000000000',
    );
    expect(
      await run('--security-opt', 'no-new-privileges', 'busybox', 'grep', 'NoNewPrivs', '/proc/self/status'),
    ).toMatch(/1$/);
  });

  test('limits stand in the cgroup', async () => {
    const script = [
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null',
      'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null',
    ].join('; ');
    const limits = await run(
      '--memory',
      '64m',
      '--pids-limit',
      '50',
      'busybox',
      'sh',
      '-c',
      `${script}; true`,
    );
    expect(limits.split('\n')).toEqual(['67108864', '50']);
  });

  test('a container that eats its memory is killed, and says so', async () => {
    const hog = ['sh', '-c', 'x=x; while :; do x=$x$x; done'];
    const { code } = await job.berth.docker([
      'run',
      '--name',
      'hog',
      '--memory',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      ...hog,
    ]);
    expect(code).toBe(137);
    expect(await ask(job.berth, 'inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hog')).toBe(
      'true 137',
    );
    await ask(job.berth, 'rm', 'hog');
  });
});

describe('life of a container', () => {
  test('create, start, stop by its stop signal, start again, remove', async () => {
    const { berth } = job;
    const script = 'trap "echo stopped; exit 5" USR1; echo started; while :; do sleep 0.05; done';
    const id = await ask(
      berth,
      'create',
      '--name',
      'life',
      '--stop-signal',
      'USR1',
      'busybox',
      'sh',
      '-c',
      script,
    );
    expect(await ask(berth, 'inspect', '-f', '{{.State.Status}}', 'life')).toBe('created');
    await ask(berth, 'start', 'life');
    await waitForLog('life', 'started');
    expect(await ask(berth, 'ps', '-q', '--no-trunc')).toContain(id);
    await ask(berth, 'stop', 'life');
    expect(await ask(berth, 'inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'life')).toBe(
      'exited 5',
    );
    await ask(berth, 'start', 'life');
    await ask(berth, 'restart', '-t', '0', 'life');
    expect((await berth.docker(['rm', 'life'])).stderr).toContain(
      'cannot remove container "/life": container is running',
    );
    await ask(berth, 'rm', '-f', 'life');
    expect((await berth.docker(['inspect', 'life'])).code).toBe(1);
  });

  test('stop without a handler ends in SIGKILL', async () => {
    const { berth } = job;
    const id = await ask(
      berth,
      'run',
      '-d',
      'busybox',
      'sh',
      '-c',
      'trap "" TERM; while :; do sleep 0.05; done',
    );
    await ask(berth, 'stop', '-t', '1', id);
    expect(await ask(berth, 'inspect', '-f', '{{.State.ExitCode}}', id)).toBe('137');
    await ask(berth, 'rm', id);
  });

  test('pause freezes, unpause goes on', async () => {
    const { berth } = job;
    await ask(berth, 'run', '-d', '--name', 'frozen', 'busybox', 'sleep', '1000');
    await ask(berth, 'pause', 'frozen');
    expect(await ask(berth, 'inspect', '-f', '{{.State.Status}} {{.State.Paused}}', 'frozen')).toBe(
      'paused true',
    );
    expect((await berth.docker(['exec', 'frozen', 'true'])).stderr).toContain('is paused');
    await ask(berth, 'unpause', 'frozen');
    await ask(berth, 'exec', 'frozen', 'true');
    await ask(berth, 'pause', 'frozen');
    await ask(berth, 'rm', '-f', 'frozen');
  });

  test('rename, and the old name is free', async () => {
    const { berth } = job;
    await ask(berth, 'create', '--name', 'before', 'busybox', 'true');
    await ask(berth, 'rename', 'before', 'after');
    await ask(berth, 'create', '--name', 'before', 'busybox', 'true');
    expect((await berth.docker(['create', '--name', 'after', 'busybox'])).stderr).toContain(
      'is already in use by container',
    );
    await ask(berth, 'rm', 'before', 'after');
  });

  test('top shows its processes', async () => {
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sleep', '4321');
    expect(await ask(job.berth, 'top', id)).toContain('sleep 4321');
    await ask(job.berth, 'rm', '-f', id);
  });

  test('a detached container with --rm goes by itself', async () => {
    const { berth } = job;
    const id = await ask(berth, 'run', '-d', '--rm', 'busybox', 'sleep', '0.1');
    const { code, stdout } = await berth.docker(['wait', id]);
    expect([0, 1]).toContain(code);
    if (code === 0) expect(stdout.trim()).toBe('0');
    await expect.poll(() => ask(berth, 'ps', '-aq', '--no-trunc')).not.toContain(id);
  });

  test('twenty at once', async () => {
    const { berth } = job;
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_unused, index) =>
        ask(berth, 'run', '-d', 'busybox', 'sh', '-c', `echo number ${String(index)}; sleep 1000`),
      ),
    );
    const format = '{{.State.Running}} {{.NetworkSettings.Networks.bridge.IPAddress}}';
    const facts = (await ask(berth, 'inspect', '-f', format, ...ids)).split('\n');
    expect(new Set(facts).size).toBe(20);
    for (const fact of facts) expect(fact).toMatch(/^true 172\.\d+\.\d+\.\d+$/);
    const logs = await Promise.all(ids.map((id) => ask(berth, 'logs', id)));
    expect(logs).toEqual(ids.map((_id, index) => `number ${String(index)}`));
    await ask(berth, 'rm', '-f', ...ids);
    expect(await ask(berth, 'ps', '-aq')).toBe('');
  });

  test('labels of any size are kept', async () => {
    const { berth } = job;
    const value = 'x'.repeat(100_000);
    const id = await ask(berth, 'create', '--label', `big=${value}`, 'busybox');
    expect(await ask(berth, 'inspect', '-f', '{{index .Config.Labels "big"}}', id)).toBe(value);
    await ask(berth, 'rm', id);
  });
});

describe('docker cp', () => {
  test.each([
    { name: 'a running container', start: true },
    { name: 'a stopped one', start: false },
  ])('both ways with $name', async ({ start }) => {
    const { berth } = job;
    const id = await ask(berth, 'create', 'busybox', 'sleep', '1000');
    if (start) await ask(berth, 'start', id);
    const file = `${berth.directories.home}/copied`;
    await ask(berth, 'cp', `${id}:/etc/passwd`, file);
    await ask(berth, 'cp', file, `${id}:/tmp/back`);
    await ask(berth, 'cp', `${id}:/tmp/back`, `${file}-again`);
    const { stdout } = await berth.docker(['cp', `${id}:/tmp/back`, '-']);
    expect(stdout).toContain('root:');
    expect((await berth.docker(['cp', `${id}:/no/such`, '-'])).stderr).toContain(
      'Could not find the file /no/such',
    );
    await ask(berth, 'rm', '-f', id);
  });
});

async function waitForLog(container: string, text: string): Promise<void> {
  await expect.poll(() => ask(job.berth, 'logs', container)).toContain(text);
}
