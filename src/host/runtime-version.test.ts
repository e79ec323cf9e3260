import { expect, test } from 'vitest';

import { readRuntimeVersion } from './runtime-version.ts';

const stdout = 'runc version 1.1.5\ncommit: abc123\nspec: 1.0.2\n';

test('reads version and commit of the runtime', async () => {
  const run = async (): Promise<{ code: number; stdout: string; stderr: string }> => ({
    code: 0,
    stdout,
    stderr: '',
  });
  expect(await readRuntimeVersion({ run })).toEqual({ version: '1.1.5', commit: 'abc123' });
});

test('a build may not say its commit', async () => {
  const run = async (): Promise<{ code: number; stdout: string; stderr: string }> => ({
    code: 0,
    stdout: 'runc version 1\n',
    stderr: '',
  });
  expect(await readRuntimeVersion({ run })).toEqual({ version: '1', commit: '' });
});
