import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDirectories, removeDirectories, runBerth, type BerthDirectories } from '../support/e2e-berth.ts';
import type { CommandResult } from '../support/e2e-process.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';

// `berth run`: a whole job around one command, on the host or in a container of its own.

const dockerCli = execFileSync('sh', ['-c', 'command -v docker']).toString().trim();
let home: BerthDirectories;
let registry: Registry;

beforeAll(async () => {
  home = await makeDirectories();
  registry = await startRegistry();
  await pushImage(registry, 'job:1', { image: await buildImage(), kind: 'oci' });
});
afterAll(async () => {
  await registry.stop();
  await removeDirectories(home);
});

function berthRun(...args: readonly string[]): Promise<CommandResult> {
  return runBerth(['run', '--root', home.root, '--run-dir', home.runDir, ...args], home);
}

/** The command's own output, and the report that ends it. */
function parts({ stdout }: CommandResult): {
  readonly output: string;
  readonly report: Record<string, unknown>;
} {
  const lines = stdout.trimEnd().split('\n');
  return {
    report: JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>,
    output: lines.slice(0, -1).join('\n'),
  };
}

describe('without an image', () => {
  test('the command runs in the network of the job, with its environment, and its exit code comes through', async () => {
    const script =
      'docker version --format "{{.Server.Version}}"; ip -br link | cut -d" " -f1; echo $EXTRA; exit 9';
    const result = await berthRun('-e', 'EXTRA=given', '--', 'sh', '-c', script);
    expect(result.code, result.stderr).toBe(9);
    const { output, report } = parts(result);
    expect(output).toContain('docker0');
    expect(output).toContain('given');
    expect(report).toMatchObject({ closed: true, leaks: [], exitCode: 9 });
  });

  test('what the command leaves running ends with the job', async () => {
    const result = await berthRun('sh', '-c', 'sleep 98765 >/dev/null 2>&1 & exit 0');
    expect(result.code, result.stderr).toBe(0);
    expect(execFileSync('ps', ['-eo', 'args']).toString()).not.toContain('sleep 98765');
  });

  test('a command that is not there exits 127', async () => {
    expect((await berthRun('--', 'no-such-command')).code).toBe(127);
  });
});

describe('with an image', () => {
  const inImage = (...args: readonly string[]): Promise<CommandResult> =>
    berthRun('--image', `${registry.host}/job:1`, '-v', `${dockerCli}:/usr/bin/docker:ro`, ...args);

  test('the command sees the socket of the job and its network, and no client sees its container', async () => {
    const script = 'docker ps -aq | wc -l; ls /sys/class/net; docker inspect $(hostname); exit 4';
    const result = await inImage('--', 'sh', '-c', script);
    expect(result.code, result.stderr).toBe(4);
    expect(parts(result).output).toMatch(/^0\n/);
    expect(parts(result).output).toContain('docker0');
    expect(result.stderr).toMatch(/No such object|No such container/);
  });

  test('stdin and both outputs are its own', async () => {
    const result = await runBerth(
      [
        'run',
        '--root',
        home.root,
        '--run-dir',
        home.runDir,
        '--image',
        `${registry.host}/job:1`,
        'sh',
        '-c',
        'cat; echo err >&2',
      ],
      { ...home, input: 'typed' },
    );
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toMatch(/^typed/);
    expect(result.stderr).toContain('err\n');
  });

  test('an image that is not there is an error of berth: 125', async () => {
    const result = await berthRun('--image', `${registry.host}/absent:1`, 'true');
    expect(result.code).toBe(125);
    expect(parts(result).report).toMatchObject({ leaks: [] });
  });
});

test('nothing of any job is left', () => {
  expect(existsSync(home.runDir)).toBe(false);
  expect(existsSync(`${home.root}/jobs`)).toBe(false);
});
