import { describe, expect, test } from 'vitest';
import { baseEnvironment, runCommand, startProcess } from './e2e-process.ts';

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
