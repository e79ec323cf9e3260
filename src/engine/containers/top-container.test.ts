import { describe, expect, it } from 'vitest';

import {
  makeContainer,
  makeContainerStore,
  makeId,
  makeJob,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import type { Containerd, Tasks } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import type { HostFacts, HostProcesses, ProcessResult } from '../../host/types.ts';
import type { ContainerRun } from '../../state/container.ts';
import { topContainer } from './top-container.ts';
import { createLimiter } from '../../lib/limiter.ts';
import { describeCapabilities, readProcColumns } from './top-proc-columns.ts';
import { parseTopTable } from './top-table.ts';

interface Machine {
  readonly pids?: readonly number[];
  readonly pidsAfter?: readonly number[];
  readonly ps?: Partial<ProcessResult>;
  readonly isRunning?: boolean;
  readonly hasTask?: boolean;
}

async function top(psArgs: string, machine: Machine = {}) {
  const { pids = [10, 11], pidsAfter = pids, ps = {}, isRunning = true, hasTask = true } = machine;
  const commands: (readonly string[])[] = [];
  const answers = hasTask ? [pids, pidsAfter] : [];
  const container = makeContainer({ state: runningSince('2024-05-06T07:08:00Z') });
  if (isRunning) container.run = partOf<ContainerRun>({});
  const job = makeJob({
    containers: makeContainerStore([container]),
    host: partOf<HostFacts>({ lastCap: 40 }),
    signal: new AbortController().signal,
    tops: createLimiter(1),
    containerd: partOf<Containerd>({
      tasks: partOf<Tasks>({
        async pids() {
          const answer = answers.shift();
          if (!answer) throw new EngineError('NotFound', 'no task');
          return answer.map((pid) => ({ pid }));
        },
      }),
    }),
    processes: partOf<HostProcesses>({
      async run(argv) {
        commands.push(argv);
        return { code: 0, stdout: 'PID CMD\n10 sleep 100\n11 sh -c x\n', stderr: '', ...ps };
      },
    }),
  });
  return {
    answer: await topContainer(job, 'web', { psArgs, signal: new AbortController().signal }),
    commands,
  };
}

describe('topContainer', () => {
  it('asks the host about the processes of the container alone', async () => {
    expect(await top('aux')).toEqual({
      answer: {
        Titles: ['PID', 'CMD'],
        Processes: [
          ['10', 'sleep 100'],
          ['11', 'sh -c x'],
        ],
      },
      commands: [['ps', 'u', '-p', '10,11']],
    });
  });

  it('leaves out a process that ended meanwhile, whose pid may be another one now', async () => {
    expect((await top('', { pidsAfter: [11, 12] })).answer.Processes).toEqual([['11', 'sh -c x']]);
    expect((await top('', { pidsAfter: [] })).answer.Processes).toBeNull();
  });

  it('refuses before it looks for the container, and never runs a hostile option', async () => {
    await expect(top('-p 1')).rejects.toMatchObject({ kind: 'InvalidArgument' });
  });

  it('is a Conflict in dockerd’s words without a running process', async () => {
    const message = `Container ${makeId('c1')} is not running`;
    await expect(top('', { isRunning: false })).rejects.toMatchObject({ kind: 'Conflict', message });
    await expect(top('', { hasTask: false })).rejects.toMatchObject({ kind: 'Conflict', message });
  });

  it('passes on what ps complains about', async () => {
    await expect(
      top('', { ps: { code: 1, stdout: '', stderr: '\nerror: conflicting format options\n\nUsage:\n' } }),
    ).rejects.toThrow('ps: error: conflicting format options');
  });

  it('answers with no process when ps found none', async () => {
    expect((await top('', { ps: { code: 1, stdout: 'PID CMD\n' } })).answer).toEqual({
      Titles: ['PID', 'CMD'],
      Processes: null,
    });
  });

  it('puts columns of its own where they were asked for', async () => {
    const pids = [process.pid];
    const ps = { stdout: `PID COMMAND\n${process.pid} node x\n` };
    const { answer, commands } = await top('-o capeff,pid,args,seccomp', { pids, ps });
    expect(commands).toEqual([['ps', '-o', 'pid,args', '-p', String(process.pid)]]);
    expect(answer.Titles).toEqual(['EFFECTIVE CAPS', 'PID', 'COMMAND', 'SECCOMP']);
    expect(answer.Processes).toEqual([
      [
        expect.stringMatching(/^(full|none|[A-Z_]+(,[A-Z_]+)*)$/),
        String(process.pid),
        'node x',
        expect.stringMatching(/^(disabled|filter)$/),
      ],
    ]);
  });
});

describe('parseTopTable', () => {
  it('gives the last column what is left of a line, and a thread to the process above it', () => {
    const output = 'UID  PID CMD\nroot 1 init\nroot - t1\nroot 10 sleep 1 2\nroot - -\nuser 11 x\n\n';
    expect(parseTopTable(output, new Set([10, 11]))).toEqual({
      titles: ['UID', 'PID', 'CMD'],
      rows: [
        { pid: 10, fields: ['root', '10', 'sleep 1 2'] },
        { pid: 10, fields: ['root', '-', '-'] },
        { pid: 11, fields: ['user', '11', 'x'] },
      ],
    });
  });

  it('fails in dockerd’s words without a column of pids', () => {
    expect(() => parseTopTable('COMMAND\nsleep\n', new Set())).toThrow(
      "Couldn't find PID field in ps output",
    );
    expect(() => parseTopTable('STARTED PID\nMon Nov 22 10\n', new Set([10]))).toThrow(
      `Unexpected pid 'Nov': strconv.Atoi: parsing "Nov": invalid syntax`,
    );
  });
});

describe('columns from /proc', () => {
  it.each([
    ['0000000000000000', 'none'],
    ['000001ffffffffff', 'full'],
    ['0000000000000001', 'CHOWN'],
    [
      '00000000a80425fb',
      'CHOWN,DAC_OVERRIDE,FOWNER,FSETID,KILL,SETGID,SETUID,SETPCAP,NET_BIND_SERVICE,NET_RAW,SYS_CHROOT,MKNOD,AUDIT_WRITE,SETFCAP',
    ],
  ])('words the mask %s as %s', (mask, words) => {
    expect(describeCapabilities(mask, 40)).toBe(words);
  });

  it('are empty for a process that has ended', async () => {
    expect(await readProcColumns(2 ** 30, [{ name: 'capeff' }, { name: 'seccomp' }], 40)).toEqual(['', '']);
  });
});
