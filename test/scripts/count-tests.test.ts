import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';

const script = resolve(import.meta.dirname, '../../scripts/count-tests.mjs');
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'count-'));
});

afterEach(() => rm(directory, { recursive: true }));

type Status = 'passed' | 'failed' | 'skipped';

/** A report as vitest writes it, of files whose tests ended so; an empty file is one that could not be loaded. */
async function report(suite: string, files: readonly (readonly Status[])[]): Promise<void> {
  const all = files.flat();
  const count = (status: Status): number => all.filter((one) => one === status).length;
  await writeFile(
    join(directory, `${suite}.json`),
    JSON.stringify({
      numTotalTests: all.length,
      numPassedTests: count('passed'),
      numFailedTests: count('failed'),
      numPendingTests: count('skipped'),
      numTodoTests: 0,
      testResults: files.map((statuses) => ({
        status: statuses.length === 0 || statuses.includes('failed') ? 'failed' : 'passed',
        assertionResults: statuses.map((status) => ({ status })),
      })),
    }),
  );
}

async function count(...suites: string[]): Promise<{ code: number; last: string | undefined }> {
  const { code, stdout, stderr } = await runCommand({
    program: process.execPath,
    args: [script, directory, ...suites],
    env: baseEnvironment(directory),
  });
  expect(stderr).toBe('');
  return { code, last: stdout.trimEnd().split('\n').at(-1) };
}

test('adds up the suites', async () => {
  await report('a', [['passed', 'passed'], ['passed']]);
  await report('b', [['passed']]);
  expect(await count('a', 'b')).toEqual({ code: 0, last: '4 passed, 0 failed' });
});

test('tells skipped tests, and fails for failed ones', async () => {
  await report('a', [['passed', 'failed', 'skipped']]);
  expect(await count('a')).toEqual({ code: 1, last: '1 passed, 1 failed, 1 skipped' });
});

test('a file that could not be loaded is a failure', async () => {
  await report('a', [['passed'], []]);
  expect(await count('a')).toEqual({ code: 1, last: '1 passed, 1 failed' });
});

test('a suite without a test is a failure', async () => {
  await report('a', [['passed']]);
  await report('b', []);
  expect(await count('a', 'b')).toEqual({ code: 1, last: '1 passed, 1 failed' });
});

test('a suite without a report is a failure', async () => {
  await report('a', [['passed']]);
  expect(await count('a', 'b')).toEqual({ code: 1, last: '1 passed, 1 failed' });
});

test('a failed step counts once, and not where a failed test explains it', async () => {
  await report('a', [['failed']]);
  await report('b', [['passed']]);
  await writeFile(join(directory, 'failed-steps'), 'a\nlint\nb\nlint\n');
  expect(await count('a', 'b')).toEqual({ code: 1, last: '1 passed, 3 failed' });
});

test('what no failed test explains is told in the last words of its suite', async () => {
  await report('a', [['passed']]);
  await writeFile(join(directory, 'failed-steps'), 'a\n');
  await writeFile(join(directory, 'a.stderr'), '1 left on this machine by the tests:\n  mount: /x (ext4)\n');
  const { stdout } = await runCommand({
    program: process.execPath,
    args: [script, directory, 'a'],
    env: baseEnvironment(directory),
  });
  expect(stdout).toContain('test: a:   mount: /x (ext4)\n1 passed, 1 failed');
});
