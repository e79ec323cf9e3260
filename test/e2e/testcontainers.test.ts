import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
} from '../support/e2e-berth.ts';
import { ask } from '../support/e2e-job.ts';
import { baseEnvironment, runCommand, type CommandResult } from '../support/e2e-process.ts';
import { startPopularRegistry, type PopularRegistry } from '../support/popular-registry.ts';
import { SCENARIOS } from '../support/testcontainers/scenarios.ts';

// testcontainers for Node in a process of the job, with the environment that berth says and nothing else.

interface Outcome {
  readonly name: string;
  readonly error?: string;
}

const support = resolve(import.meta.dirname, '../support');
const directories = await makeDirectories();
let registry: PopularRegistry;
let berth: Berth;
let outcomes: readonly Outcome[];

/** One test run after another in the same job; `env` comes on top of the contract. */
function session(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const program = ['--import', 'tsx', join(support, 'testcontainers/session.ts')];
  return runCommand({
    program: 'nsenter',
    args: [`--net=${berth.ready.netns}`, process.execPath, ...program, ...args],
    env: { ...baseEnvironment(directories.home), ...berth.ready.env, ...env },
    timeoutMs: 400_000,
  });
}

function parseLines({ stdout }: CommandResult): readonly unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): unknown => JSON.parse(line));
}

/** Those of the tests: Ryuk itself goes when it has done its work. */
async function containers(): Promise<readonly string[]> {
  const shown = await ask(berth, 'ps', '-a', '--format', '{{.Image}}');
  return shown.split('\n').filter((image) => image !== '' && !image.includes('/ryuk:'));
}

beforeAll(async () => {
  registry = await startPopularRegistry();
  berth = await startBerth({ directories, args: ['--registries', registry.registriesDirectory] });
  // The client's own look for plugins is below HOME.
  const plugins = join(directories.home, '.docker/cli-plugins');
  await mkdir(plugins, { recursive: true });
  await symlink(join(support, 'compose-plugin.sh'), join(plugins, 'docker-compose'));
  const run = await session(['run'], { TESTCONTAINERS_RYUK_RECONNECTION_TIMEOUT: '1' });
  outcomes = parseLines(run) as readonly Outcome[];
  if (run.code !== 0) throw new Error(`the session ended with ${run.code}: ${run.stderr}`);
}, 500_000);

afterAll(async () => {
  const end = await berth.stop();
  await registry.stop();
  await removeDirectories(directories);
  expect(end).toMatchObject({ code: 0, report: { leaks: [] } });
});

showLogsOnFailure(() => [berth]);

describe('with Ryuk', () => {
  test.each(Object.keys(SCENARIOS))('%s', (name) => {
    const outcome = outcomes.find((one) => one.name === name);
    expect(outcome).toBeDefined();
    expect(outcome?.error).toBeUndefined();
  });

  test('what a killed test run leaves is removed', async () => {
    const run = await session(['leave'], { TESTCONTAINERS_RYUK_RECONNECTION_TIMEOUT: '1' });
    const [left] = parseLines(run) as readonly { container: string; network: string }[];
    expect(left, run.stderr).toBeDefined();
    await expect.poll(containers).toEqual([]);
    const networks = (): Promise<string> => ask(berth, 'network', 'ls', '-q', '--no-trunc');
    await expect.poll(networks).not.toContain(left?.network);
  });
});

test('without Ryuk', async () => {
  const env = { TESTCONTAINERS_RYUK_DISABLED: 'true' };
  const names = ['waits for listening ports', 'networks and aliases'];
  const run = await session(['run', ...names], env);
  expect(
    (parseLines(run) as readonly Outcome[]).map(({ name, error }) => [name, error]),
    run.stderr,
  ).toEqual(names.map((name) => [name, undefined]));
  expect(await containers()).toEqual([]);
});
