import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';

test('a second set-up does nothing, and says so in one line', async () => {
  const program = resolve(import.meta.dirname, '../../scripts/setup');
  const result = await runCommand({ program, args: ['--test'], env: baseEnvironment('/root') });
  expect(result).toEqual({ code: 0, stdout: 'setup: nothing to do\n', stderr: '' });
});
