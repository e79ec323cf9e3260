import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';

const program = resolve(import.meta.dirname, '../../scripts/start');
const env = baseEnvironment('/root');

test('npm start runs the demonstration job, and ends with the report of its end', async () => {
  const { code, stdout, stderr } = await runCommand({ program, args: [], env, timeoutMs: 110_000 });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const [report, verdict] = stdout.trimEnd().split('\n').slice(-2);
  expect(JSON.parse(report ?? '')).toMatchObject({ closed: true, leaks: [] });
  expect(verdict).toBe('The demonstration job ran as it should, and nothing of it is left.');
  expect(stdout).toContain('hello from a container');
});

test('npm start with arguments is bin/berth with them', async () => {
  const { code, stderr } = await runCommand({ program, args: ['no-such-command'], env });
  expect(code).not.toBe(0);
  expect(stderr).toContain('no-such-command');
});
