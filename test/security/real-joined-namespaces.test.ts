import { readlink } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';

// Whatever a container joins, it is never what the machine itself is in.

const job = useJob();
const openJob = useJob({ config: '[dind]\nallow_privileged = true\n' });
const KINDS = ['pid', 'ipc'] as const;
const TELL = 'readlink /proc/self/ns/pid; readlink /proc/self/ns/ipc; exit 0';
const ROUNDS = 25;

const ofMachine = (): Promise<readonly string[]> =>
  Promise.all(KINDS.map((kind) => readlink(`/proc/self/ns/${kind}`)));

describe('a container that joins another one', () => {
  test('is never in the namespaces of the machine, though the other one ends and starts meanwhile', async () => {
    const machine = await ofMachine();
    const target = ['--name', 'target', '--ipc', 'shareable', '--restart', 'always'];
    await ask(job.berth, 'run', '-d', ...target, 'busybox', 'sh', '-c', 'sleep 0.1');
    const joined = ['--pid', 'container:target', '--ipc', 'container:target'];
    const answers: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const killing = job.berth.docker(['restart', '-t', '0', 'target']);
      const { code, stdout } = await job.berth.docker([
        'run',
        '--rm',
        ...joined,
        'busybox',
        'sh',
        '-c',
        TELL,
      ]);
      await killing;
      if (code === 0) answers.push(...stdout.trim().split('\n'));
    }
    await ask(job.berth, 'rm', '-f', 'target');
    for (const answer of answers) expect(machine).not.toContain(answer);
    // Some have got that far, or nothing was tested.
    await ask(job.berth, 'run', '-d', '--name', 'target', '--ipc', 'shareable', 'busybox', 'sleep', '99');
    const last = await ask(job.berth, 'run', '--rm', ...joined, 'busybox', 'sh', '-c', TELL);
    expect(last.split('\n')).toHaveLength(KINDS.length);
    for (const answer of last.split('\n')) expect(machine).not.toContain(answer);
    await ask(job.berth, 'rm', '-f', 'target');
  });

  test.each([
    ['--pid', "failed to join PID namespace: container * has the machine's own"],
    ['--ipc', 'failed to join IPC namespace: container *: non-shareable IPC'],
  ])('is not given on what an open gate gave the other one: %s', async (flag, message) => {
    const target = await ask(openJob.berth, 'run', '-d', flag, 'host', 'busybox', 'sleep', '99');
    const { code, stderr } = await openJob.berth.docker([
      ...['run', '--rm', flag, `container:${target}`, 'busybox', 'true'],
    ]);
    expect({ code, stderr }).toMatchObject({
      code: 125,
      stderr: expect.stringContaining(message.replace('*', target)) as string,
    });
    await ask(openJob.berth, 'rm', '-f', target);
  });

  test.each(['../../../../proc/1', '/proc/1/ns/pid', 'host', '1', 'container:host', ''])(
    'is refused where it names no container of the job: %j',
    async (ref) => {
      for (const flag of ['PidMode', 'IpcMode']) {
        const body = { Image: 'busybox', HostConfig: { [flag]: `container:${ref}` } };
        const { status } = await createRaw(body);
        expect([flag, status]).toEqual([flag, ref === '' ? 400 : 404]);
      }
    },
  );
});

async function createRaw(body: object): Promise<{ readonly status: number }> {
  return createApiClient(job.berth.ready.socket).post('/containers/create', body);
}
