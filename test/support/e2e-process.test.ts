import { describe, expect, test } from 'vitest';
import { baseEnvironment, endProcess, runCommand, runInTerminal, startProcess } from './e2e-process.ts';

const env = baseEnvironment('/');
const shell = (script: string): { program: string; args: string[]; env: Record<string, string> } => {
  return { program: 'sh', args: ['-c', script], env };
};

describe('runCommand', () => {
  test('gives exit code and both outputs', async () => {
    expect(await runCommand(shell('echo out; echo err >&2; exit 3'))).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('hands over the input', async () => {
    expect((await runCommand({ ...shell('cat'), input: 'in' })).stdout).toBe('in');
  });

  test('survives a command that does not read its input', async () => {
    expect((await runCommand({ ...shell('exit 1'), input: Buffer.alloc(1 << 20) })).code).toBe(1);
  });

  test('answers 128 and the number where a signal ended the command', async () => {
    expect((await runCommand(shell('kill -KILL $$'))).code).toBe(137);
  });

  test('kills a command that takes too long, and tells what it wrote', async () => {
    const result = runCommand({ ...shell('echo begun; exec sleep 60'), timeoutMs: 200 });
    await expect(result).rejects.toThrow(/within 200 ms[^]*begun/);
  });

  test('fails where there is no such program', async () => {
    await expect(runCommand({ program: '/no/such', args: [], env })).rejects.toThrow('ENOENT');
  });

  test('passes on no variable but those given', async () => {
    const { stdout } = await runCommand({ program: 'env', args: [], env: { ...env, A: 'b' } });
    expect(
      stdout
        .trim()
        .split('\n')
        .sort()
        .map((line) => line.split('=')[0]),
    ).toEqual(['A', 'HOME', 'LANG', 'PATH']);
  });
});

describe('startProcess', () => {
  test('waits for output', async () => {
    const process = await startProcess(shell('echo one; echo two; exec sleep 60'));
    const found = await process.waitForOutput(({ stdout }) => /^two$/m.exec(stdout)?.[0], 5_000);
    process.kill('SIGKILL');
    expect([found, await process.exited]).toEqual(['two', { code: 137, signal: 'SIGKILL' }]);
  });

  test('rejects, with what was written, where the process ends first', async () => {
    const process = await startProcess(shell('echo gone >&2; exit 4'));
    const waiting = process.waitForOutput(() => undefined, 5_000);
    await expect(waiting).rejects.toThrow(/exit code 4 before[^]*gone/);
  });

  test('rejects with the error of a look that fails', async () => {
    const process = await startProcess(shell('echo broken; exec sleep 60'));
    const waiting = process.waitForOutput(
      ({ stdout }) => (stdout === '' ? undefined : (JSON.parse(stdout) as unknown)),
      5_000,
    );
    await expect(waiting).rejects.toThrow('JSON');
    process.kill('SIGKILL');
    await process.exited;
  });

  test('fails where there is no such program', async () => {
    await expect(startProcess({ program: '/no/such', args: [], env })).rejects.toThrow('ENOENT');
  });
});

describe('endProcess', () => {
  test('gives the exit after the signal', async () => {
    const process = await startProcess(shell('trap "exit 5" TERM; echo up; while :; do sleep 0.05; done'));
    await process.waitForOutput(({ stdout }) => stdout.includes('up') || undefined, 5_000);
    expect(await endProcess(process, 'SIGTERM', 5_000)).toEqual({ code: 5, signal: null });
  });

  test('kills what does not end, and fails', async () => {
    const process = await startProcess(shell('trap "" TERM; echo up; while :; do sleep 0.05; done'));
    await process.waitForOutput(({ stdout }) => stdout.includes('up') || undefined, 5_000);
    await expect(endProcess(process, 'SIGTERM', 200)).rejects.toThrow('no end within 200 ms after SIGTERM');
    expect((await process.exited).signal).toBe('SIGKILL');
  });
});

describe('runInTerminal', () => {
  test('gives the command a terminal, its input and its exit code', async () => {
    const options = shell(`test -t 0 && test -t 1 && read line && echo "it's $line"; exit 6`);
    const { code, stdout } = await runInTerminal({ ...options, input: 'typed\n' });
    expect([code, stdout.split('\r\n')]).toEqual([6, expect.arrayContaining(["it's typed"])]);
  });
});
