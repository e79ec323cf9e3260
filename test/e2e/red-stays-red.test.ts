import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { startRegistry, type Registry } from '../support/registry.ts';

// No failure inside a container, or of berth itself, may look like a success to the docker CLI.

const job = useJob();

describe('exit codes of docker run', () => {
  test.each([
    { name: 'success', args: ['true'], code: 0 },
    { name: 'failure', args: ['false'], code: 1 },
    { name: 'any code', args: ['sh', '-c', 'exit 42'], code: 42 },
    { name: 'the largest code', args: ['sh', '-c', 'exit 255'], code: 255 },
    { name: 'a signal of its own', args: ['sh', '-c', "sh -c 'kill -9 $$'; exit $?"], code: 137 },
    { name: 'a program that is not there', args: ['/no/such/program'], code: 127 },
    { name: 'a program that is not in the path', args: ['no-such-program'], code: 127 },
    { name: 'a file that is no program', args: ['/etc/passwd'], code: 126 },
    { name: 'a directory', args: ['/etc'], code: 126 },
  ])('$name: $code', async ({ args, code }) => {
    expect((await job.berth.docker(['run', '--rm', 'busybox', ...args])).code).toBe(code);
  });

  test('a process that is killed after half its output: 137, with that half', async () => {
    const { code, stdout } = await job.berth.docker([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      "echo half; sh -c 'kill -9 $$'; exit $?",
    ]);
    expect({ code, stdout }).toEqual({ code: 137, stdout: 'half\n' });
  });

  test('a hundred quick failures in a row are all seen', async () => {
    const codes: number[] = [];
    for (let round = 0; round < 25; round += 1) {
      const batch = Array.from({ length: 4 }, () =>
        job.berth.docker(['run', '--rm', 'busybox', 'sh', '-c', 'exit 3']),
      );
      codes.push(...(await Promise.all(batch)).map(({ code }) => code));
    }
    expect(codes).toEqual(Array.from({ length: 100 }, () => 3));
  });

  test('an unknown user is an error of the daemon', async () => {
    const { code, stderr } = await job.berth.docker([
      'run',
      '--rm',
      '--user',
      'nobody-here',
      'busybox',
      'true',
    ]);
    expect(code).toBe(125);
    expect(stderr).toContain('unable to find user nobody-here: no matching entries in passwd file');
  });
});

describe('exit codes of docker exec', () => {
  test.each([
    { args: ['true'], code: 0 },
    { args: ['false'], code: 1 },
    { args: ['sh', '-c', 'exit 9'], code: 9 },
    { args: ['sh', '-c', 'kill -15 $$'], code: 143 },
    { args: ['no-such-program'], code: 127 },
    { args: ['/etc/passwd'], code: 126 },
  ])('$args: $code', async ({ args, code }) => {
    const id = await ask(job.berth, 'run', '-d', '--rm', 'busybox', 'sleep', '1000');
    try {
      expect((await job.berth.docker(['exec', id, ...args])).code).toBe(code);
    } finally {
      await ask(job.berth, 'rm', '-f', id);
    }
  });

  test('an exec whose container is killed under it fails', async () => {
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const exec = job.berth.docker(['exec', id, 'sh', '-c', 'echo up; sleep 1001']);
    await ask(job.berth, 'exec', id, 'sh', '-c', 'until ps | grep -q "[s]leep 1001"; do :; done');
    await ask(job.berth, 'kill', id);
    expect((await exec).code).not.toBe(0);
    await ask(job.berth, 'rm', id);
  });

  test('docker wait prints the code', async () => {
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sh', '-c', 'sleep 0.2; exit 77');
    expect(await ask(job.berth, 'wait', id)).toBe('77');
    expect(await ask(job.berth, 'wait', id)).toBe('77');
    await ask(job.berth, 'rm', id);
  });
});

describe('pulls that fail', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  test.each([
    ['an absent tag', (host: string) => `${host}/absent:1`],
    ['a registry that is not there', () => '127.0.0.1:1/absent:1'],
  ])('%s: docker pull and docker run exit non-zero', async (_name, image) => {
    const name = image(registry.host);
    expect((await job.berth.docker(['pull', name])).code).toBe(1);
    expect((await job.berth.docker(['run', '--rm', name, 'true'])).code).toBe(125);
  });

  test('a load of something that is no image fails', async () => {
    const { code, stdout, stderr } = await job.berth.docker(['load'], { input: 'this is no tar' });
    expect(code, stdout + stderr).toBe(1);
  });
});
