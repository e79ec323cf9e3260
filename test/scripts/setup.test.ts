import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand, type CommandResult } from '../support/e2e-process.ts';

// scripts/setup with a PATH that lacks almost everything, so zstd is surely missing; nothing is ever installed.

const script = resolve(import.meta.dirname, '../../scripts/setup');
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'setup-'));
  await mkdir(join(directory, 'bin'));
  for (const name of ['bash', 'env', 'dirname', 'head', 'sort', 'ldd']) {
    const { stdout } = await runCommand({
      program: 'sh',
      args: ['-c', `command -v ${name}`],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    await symlink(stdout.trim(), join(directory, 'bin', name));
  }
  await fake('node', 'echo v20.19.0');
  await fake('npm', 'exit 1');
  await fake('id', 'echo 0');
});

afterEach(() => rm(directory, { recursive: true }));

async function fake(name: string, body: string): Promise<void> {
  const file = join(directory, 'bin', name);
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
}

function setup(...args: string[]): Promise<CommandResult> {
  return runCommand({ program: script, args, env: { PATH: join(directory, 'bin') } });
}

test('without root it names what is missing', async () => {
  await fake('id', 'echo 1000');
  await fake('apt-get', 'exit 1');
  const { code, stderr } = await setup();
  expect(code).toBe(1);
  expect(stderr).toMatch(/^setup: root is needed to install: .*\bzstd\n$/);
});

test('without apt-get it names what is missing', async () => {
  const { code, stderr } = await setup('--test');
  expect(code).toBe(1);
  expect(stderr).toMatch(/^setup: no apt-get here .*\bzstd\b/);
});

test('a failed update of the package lists ends it', async () => {
  await fake('apt-get', 'test "$1" = update && exit 100');
  const { code, stdout, stderr } = await setup();
  expect([code, stdout]).toEqual([1, 'setup: reading the package lists (apt-get update)\n']);
  expect(stderr).toMatch(/^setup: apt-get update failed; still missing: .*\bzstd\n$/);
});

test.each(['v18.20.4', 'v20.18.3', 'v9.0.0'])('Node %s is too old', async (version) => {
  await fake('node', `echo ${version}`);
  const { code, stderr } = await setup();
  expect([code, stderr]).toEqual([1, `setup: Node.js >= 20.19 is needed; this is ${version}\n`]);
});

test('an unknown argument is an error', async () => {
  const { code, stderr } = await setup('--everything');
  expect([code, stderr]).toEqual([
    1,
    'setup: unknown argument: --everything (known: --demo, --test, --conformance)\n',
  ]);
});
