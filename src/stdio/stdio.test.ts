import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createHostProcesses } from '../host/processes.ts';
import { createDeferred } from '../lib/deferred.ts';
import { createStdioFactory } from './stdio-factory.ts';
import type { OutputChunk, OutputSink, ProcessIo, StdioFactory } from './types.ts';

interface Collected extends OutputSink {
  readonly text: { stdout: string; stderr: string };
  readonly ends: number;
}

function collect(): Collected {
  const text = { stdout: '', stderr: '' };
  let ends = 0;
  return {
    text,
    get ends() {
      return ends;
    },
    write(chunk: OutputChunk) {
      text[chunk.stream] += chunk.data.toString();
    },
    end() {
      ends += 1;
    },
  };
}

describe('standard streams', () => {
  let directory = '';
  let factory: StdioFactory;
  let errors: string[];
  const children: ChildProcess[] = [];
  const newFactory = async (): Promise<StdioFactory> =>
    createStdioFactory({
      directory: join(directory, 'io'),
      libc: await loadLibc(),
      processes: createHostProcesses(),
      onError: (name, error) => errors.push(`${name}: ${String(error)}`),
    });
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-stdio-'));
    errors = [];
    factory = await newFactory();
  });
  afterEach(async () => {
    await factory.stopKeeper();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  /** Runs a shell on the FIFOs as a shim would; resolves once it has opened them. */
  const runOn = async ({ paths }: ProcessIo, script: string): Promise<ChildProcess> => {
    const redirections = [
      `>"${paths.stdout}"`,
      paths.stderr && `2>"${paths.stderr}"`,
      paths.stdin && `<"${paths.stdin}"`,
    ];
    const child = spawn(
      'bash',
      ['-c', `exec 9>&1 ${redirections.join(' ')}; echo open >&9; exec 9>&-; ${script}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  };

  test('files are private, and there is no stderr with a terminal and no stdin unasked', async () => {
    const io = await factory.open({ id: 'a', stdin: false, terminal: true });
    const base = join(directory, 'io/a');
    expect(io.paths).toEqual({ stdin: '', stdout: join(base, 'stdout'), stderr: '' });
    expect(readdirSync(base)).toEqual(['stdout']);
    expect(statSync(base).mode & 0o777).toBe(0o700);
    expect(statSync(io.paths.stdout).mode & 0o777).toBe(0o600);
    await expect(factory.open({ id: 'a', stdin: false, terminal: true })).rejects.toMatchObject({
      kind: 'Conflict',
    });
    await io.dispose();
    expect(existsSync(base)).toBe(false);
    await expect(factory.adopt({ id: 'a', stdin: true, terminal: true })).rejects.toMatchObject({
      kind: 'NotFound',
    });
  });

  test.each(['../a', 'a/b', '', '.', '-a', 'a b', 'a\n'])('the id %j is refused', async (id) => {
    await expect(factory.open({ id, stdin: true, terminal: true })).rejects.toMatchObject({
      kind: 'Internal',
    });
  });

  test('both outputs arrive apart, stdin passes, and the end comes when the process has ended', async () => {
    const io = await factory.open({ id: 'a', stdin: true, terminal: false });
    const sink = collect();
    io.addSink(sink);
    await io.writeStdin(Buffer.from('early '));
    await runOn(io, 'cat; echo error >&2');
    io.taskCreated();
    await io.writeStdin(Buffer.from('late'));
    await io.closeStdin();
    await io.drained;
    expect(sink.text).toEqual({ stdout: 'early late', stderr: 'error\n' });
    expect(sink.ends).toBe(1);
    const late = collect();
    io.addSink(late);
    expect(late.ends).toBe(1);
    await io.dispose();
    expect(errors).toEqual([]);
  });

  test('output does not end before the task is created', async () => {
    const io = await factory.open({ id: 'a', stdin: false, terminal: true });
    const sink = collect();
    io.addSink(sink);
    await once(await runOn(io, 'echo one'), 'close');
    await expect.poll(() => sink.text.stdout).toBe('one\n');
    expect(sink.ends).toBe(0);
    await once(await runOn(io, 'echo two'), 'close');
    io.taskCreated();
    await io.drained;
    expect(sink.text.stdout).toBe('one\ntwo\n');
    await io.dispose();
  });

  test('writing to a process that is gone is a conflict', async () => {
    const io = await factory.open({ id: 'a', stdin: true, terminal: true });
    const child = await runOn(io, 'exec sleep 60');
    io.taskCreated();
    const flood = Buffer.alloc(4 << 20);
    const written = io.writeStdin(flood);
    child.kill('SIGKILL');
    await expect(written).rejects.toMatchObject({ kind: 'Conflict' });
    await expect(io.writeStdin(flood)).rejects.toMatchObject({ kind: 'Conflict' });
    await io.dispose();
  });

  test('200 MB arrive intact through a sink that sometimes asks to wait', async () => {
    const io = await factory.open({ id: 'a', stdin: false, terminal: false });
    const hash = createHash('sha256');
    let size = 0;
    let calls = 0;
    io.addSink({
      write({ data }) {
        hash.update(data);
        size += data.length;
        calls += 1;
        return calls % 100 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
      },
      end() {},
    });
    const bytes = 200 << 20;
    await runOn(io, `yes 0123456789abcdef | head -c ${bytes} | tee >(sha256sum >&2)`);
    const sum = collect();
    io.addSink({ write: (chunk) => (chunk.stream === 'stderr' ? sum.write(chunk) : undefined), end() {} });
    io.taskCreated();
    await io.drained;
    // The sum itself came over stderr, through the same sink.
    expect(size).toBe(bytes + sum.text.stderr.length);
    const expected = createHash('sha256');
    const line = Buffer.from('0123456789abcdef\n'.repeat(61_681));
    for (let left = bytes; left > 0; left -= line.length) expected.update(line.subarray(0, left));
    expect(sum.text.stderr.split(' ')[0]).toBe(expected.digest('hex'));
    await io.dispose();
  });

  test('a sink that waits holds the process back instead of filling memory', async () => {
    const io = await factory.open({ id: 'a', stdin: false, terminal: true });
    const gate = createDeferred<undefined>();
    let size = 0;
    io.addSink({
      write({ data }) {
        size += data.length;
        return size > 1_000_000 ? gate.promise : undefined;
      },
      end() {},
    });
    const child = await runOn(io, 'head -c 20000000 /dev/zero');
    io.taskCreated();
    await expect
      .poll(() => size > 1_000_000 && readFileSync(`/proc/${child.pid}/wchan`, 'utf8'))
      .toBeTruthy();
    const before = size;
    await new Promise((resolve) => setImmediate(resolve));
    expect(size).toBe(before);
    expect(size).toBeLessThan(1_200_000);
    gate.resolve(undefined);
    await io.drained;
    expect(size).toBe(20_000_000);
    await io.dispose();
  });

  test('a sink that throws, rejects or is taken away while it waits does not hurt the others', async () => {
    const io = await factory.open({ id: 'a', stdin: true, terminal: true });
    const good = collect();
    io.addSink({
      write: () => {
        throw new Error('thrown');
      },
      end() {},
    });
    io.addSink({ write: () => Promise.reject(new Error('rejected')), end() {} });
    const removeStuck = io.addSink({ write: () => new Promise(() => undefined), end() {} });
    io.addSink(good);
    await runOn(io, 'cat');
    io.taskCreated();
    await io.writeStdin(Buffer.from('one '));
    await expect.poll(() => good.text.stdout).toBe('one ');
    await io.writeStdin(Buffer.from('two'));
    removeStuck();
    await io.closeStdin();
    await io.drained;
    expect(good.text.stdout).toBe('one two');
    expect(errors).toEqual(['output sink: Error: thrown', 'output sink: Error: rejected']);
    await io.dispose();
  });

  test('drainWithin is true at the end of output, and cuts a pipe that a child keeps open after taking what is there', async () => {
    const short = await factory.open({ id: 'short', stdin: false, terminal: true });
    await runOn(short, 'echo done');
    short.taskCreated();
    expect(await short.drainWithin(10_000)).toBe(true);
    await short.dispose();
    const long = await factory.open({ id: 'long', stdin: false, terminal: true });
    const gate = createDeferred<undefined>();
    const sink = collect();
    let size = 0;
    long.addSink({
      write(chunk) {
        size += chunk.data.length;
        return gate.promise;
      },
      end: () => sink.end(),
    });
    await runOn(long, 'head -c 300000 /dev/zero; exec sleep 60');
    long.taskCreated();
    await expect.poll(() => size).toBeGreaterThan(0);
    const drained = long.drainWithin(1);
    setTimeout(() => gate.resolve(undefined), 50);
    expect(await drained).toBe(false);
    expect(size).toBe(300_000);
    expect(sink.ends).toBe(1);
    await long.dispose();
  });

  test('dispose ends everything although the process goes on and nobody read', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const io = await factory.open({ id: 'a', stdin: true, terminal: false });
    const sink = collect();
    await runOn(io, 'exec sleep 60');
    io.taskCreated();
    io.addSink(sink);
    await io.dispose();
    await io.dispose();
    await io.drained;
    expect(sink.ends).toBe(1);
    await expect
      .poll(() => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).includes(directory)))
      .toEqual([]);
    expect(before).toBeGreaterThan(0);
  });
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
