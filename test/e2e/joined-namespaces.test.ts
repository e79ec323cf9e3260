import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectories, removeDirectories, startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// Containers that see the processes of another one, or share its memory.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const keep = async (name: string, ...args: readonly string[]): Promise<string> =>
  docker('run', '-d', '--name', name, ...args);
const inspect = (id: string, format: string): Promise<string> => docker('inspect', '-f', format, id);
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await job.berth.docker(args);
  expect(code, stderr).not.toBe(0);
  return stderr;
};
const namespaceOf = async (id: string, kind: string): Promise<string> =>
  docker('exec', id, 'readlink', `/proc/self/ns/${kind}`);
const mountsOfRun = async (): Promise<readonly string[]> => {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .filter((line) => line.includes(` ${dirname(job.berth.ready.socket)}/`) && /\/(?:ns|shm)\//.test(line));
};

describe('--pid container:', () => {
  test('sees and signals the processes of the other container; nothing stays mounted for it', async () => {
    const target = await keep('target', 'busybox', 'sleep', '961');
    const joiner = await keep('joiner', '--pid', 'container:target', 'busybox', 'sleep', '962');
    expect(await docker('exec', 'joiner', 'ps', '-o', 'pid,args')).toMatch(/\b1 sleep 961\n.*sleep 962/s);
    expect(await namespaceOf(joiner, 'pid')).toBe(await namespaceOf(target, 'pid'));
    expect(await namespaceOf(joiner, 'ipc')).not.toBe(await namespaceOf(target, 'ipc'));
    expect(await inspect(joiner, '{{.HostConfig.PidMode}}')).toBe(`container:${target}`);
    expect(await docker('top', 'joiner')).not.toContain('961');
    expect(await mountsOfRun()).toEqual([]);
    await docker('rm', '-f', 'joiner', 'target');
  });

  test('the end of the joining container takes all of its processes along, and none of the other', async () => {
    await keep('target', 'busybox', 'sleep', '963');
    await keep('joiner', '--pid', 'container:target', 'busybox', 'sh', '-c', 'sleep 964 & exec sleep 965');
    await docker('exec', '-d', 'joiner', 'sleep', '966');
    const rest = (): Promise<string> => docker('exec', 'target', 'ps', '-o', 'args');
    await expect.poll(rest).toMatch(/(?=[^]*sleep 964)(?=[^]*sleep 965)[^]*sleep 966/);
    await docker('kill', 'joiner');
    expect(await docker('wait', 'joiner')).toBe('137');
    await expect.poll(rest).not.toMatch(/sleep 96[456]/);
    expect(await rest()).toContain('sleep 963');
    await docker('start', 'joiner');
    await docker('stop', '-t', '5', 'joiner');
    expect(await inspect('joiner', '{{.State.ExitCode}}')).toBe('143');
    await docker('rm', '-f', 'joiner', 'target');
  });

  test('the end of the other container is the end of both; then it can be joined no more', async () => {
    const target = await keep('target', 'busybox', 'sleep', '967');
    await keep('joiner', '--pid', 'container:target', 'busybox', 'sleep', '968');
    await docker('kill', 'target');
    expect(await docker('wait', 'joiner')).toBe('137');
    expect(await fails('start', 'joiner')).toContain(
      `failed to join PID namespace: container ${target} is not running`,
    );
    await docker('start', 'target');
    await docker('start', 'joiner');
    expect(await namespaceOf('joiner', 'pid')).toBe(await namespaceOf('target', 'pid'));
    await docker('rm', '-f', 'target');
    expect(await fails('start', 'joiner')).toContain(`No such container: ${target}`);
    await docker('rm', '-f', 'joiner');
  });

  test('has no init of its own, and no more rights', async () => {
    await keep('target', 'busybox', 'sleep', '969');
    const run = ['run', '--rm', '--pid', 'container:target'];
    expect(
      await docker(...run, '--init', 'busybox', 'sh', '-c', 'tr "\\0" " " </proc/1/cmdline; ls /sbin'),
    ).toMatch(/^sleep 969 (?![^]*docker-init)/);
    expect(await fails(...run, '--cap-add', 'SYS_PTRACE', 'busybox', 'true')).toContain('is refused');
    expect(await docker(...run, 'busybox', 'grep', 'CapEff', '/proc/self/status')).toContain(
      '00000000a80425fb',
    );
    await docker('rm', '-f', 'target');
  });
});

describe('--ipc container:', () => {
  test('shares the memory of a container that lets it, and that of one that shares it itself', async () => {
    const target = await keep('target', '--ipc', 'shareable', '--shm-size', '2m', 'busybox', 'sleep', '971');
    await keep('joiner', '--ipc', 'container:target', 'busybox', 'sleep', '972');
    await keep('third', '--ipc', 'container:joiner', 'busybox', 'sleep', '973');
    expect((await mountsOfRun()).length).toBe(3);
    await docker('exec', 'target', 'sh', '-c', 'echo text >/dev/shm/file');
    expect(await docker('exec', 'third', 'cat', '/dev/shm/file')).toBe('text');
    expect(await docker('exec', 'joiner', 'df', '-k', '/dev/shm')).toMatch(/\b2048\b/);
    expect(await docker('exec', 'joiner', 'grep', ' /dev/shm ', '/proc/mounts')).toMatch(
      /rw,nosuid,nodev,noexec/,
    );
    for (const one of ['joiner', 'third'])
      expect(await namespaceOf(one, 'ipc')).toBe(await namespaceOf('target', 'ipc'));
    expect(await namespaceOf('joiner', 'pid')).not.toBe(await namespaceOf('target', 'pid'));
    expect(await inspect('joiner', '{{.HostConfig.IpcMode}}')).toBe(`container:${target}`);
    await docker('rm', '-f', 'target');
    expect(await docker('exec', 'joiner', 'cat', '/dev/shm/file')).toBe('text');
    await docker('restart', '-t', '0', 'third');
    expect(await docker('exec', 'third', 'cat', '/dev/shm/file')).toBe('text');
    await docker('rm', '-f', 'joiner', 'third');
    await expect.poll(mountsOfRun).toEqual([]);
  });

  test('a new run of a container has nothing of the last one in its memory', async () => {
    await keep('target', '--ipc', 'shareable', 'busybox', 'sleep', '974');
    await docker('exec', 'target', 'touch', '/dev/shm/file');
    await docker('restart', '-t', '0', 'target');
    expect(await docker('exec', 'target', 'ls', '/dev/shm')).toBe('');
    await docker('rm', '-f', 'target');
  });

  test.each([
    [[]],
    [['--ipc', 'private']],
    [['--ipc', 'none']],
    [['--ipc', 'shareable', '--tmpfs', '/dev/shm']],
  ])('is refused for one that does not share: %j', async (args) => {
    const target = await keep('target', ...args, 'busybox', 'sleep', '975');
    expect(await fails('run', '--rm', '--ipc', 'container:target', 'busybox', 'true')).toContain(
      `failed to join IPC namespace: container ${target}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
    await docker('rm', '-f', 'target');
  });

  test('is refused for one that does not run', async () => {
    const target = await docker('create', '--ipc', 'shareable', 'busybox', 'true');
    expect(await fails('run', '--rm', '--ipc', `container:${target}`, 'busybox', 'true')).toContain(
      `failed to join IPC namespace: container ${target} is not running`,
    );
    await docker('rm', target);
  });
});

test('a berth that was killed and started again goes on sharing, and leaves nothing', async () => {
  const directories = await makeDirectories();
  const first = await startBerth({ job: 'joined', directories });
  await loadBusybox(first);
  const run = ['run', '-d', '--ipc', 'shareable', '--name'];
  for (const name of ['lives', 'dies']) await ask(first, ...run, name, 'busybox', 'sleep', '976');
  await ask(first, 'exec', 'lives', 'touch', '/dev/shm/file');
  const dying = await ask(first, 'inspect', '-f', '{{.State.Pid}}', 'dies');
  await first.kill9();
  process.kill(Number(dying), 'SIGKILL');
  const second = await startBerth({ job: 'joined', directories });
  const joined = ['run', '--rm', '--ipc', 'container:lives', '--pid', 'container:lives'];
  expect(await ask(second, ...joined, 'busybox', 'ls', '/dev/shm')).toBe('file');
  await expect.poll(() => ask(second, 'inspect', '-f', '{{.State.Running}}', 'dies')).toBe('false');
  await ask(second, 'start', 'dies');
  expect(await ask(second, 'exec', 'dies', 'ls', '/dev/shm')).toBe('');
  expect(await second.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
  await removeDirectories(directories);
});
