import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDirectories, removeDirectories, runBerth, startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';

// Staged binds over the death of berth, and where they may be staged at all.

const workspace = mkdtempSync('/tmp/berth-binds-');

beforeAll(() => {
  writeFileSync(join(workspace, 'file'), 'of the job');
});
afterAll(() => {
  rmSync(workspace, { recursive: true });
});

describe('after a crash', () => {
  test('binds of containers stay for them, those of nobody go, and gc leaves no mount and no file touched', async () => {
    const own = await makeDirectories();
    const options = { job: 'crash', directories: own, args: ['--workspace', workspace] };
    const first = await startBerth(options);
    await loadBusybox(first);
    const kept = await ask(first, 'run', '-d', '-v', `${workspace}:/x`, 'busybox', 'sleep', '1000');
    const creating = Array.from({ length: 12 }, () =>
      first.docker(['create', '-v', `${workspace}:/x`, 'busybox', 'true']).catch(() => undefined),
    );
    await Promise.race(creating);
    await first.kill9();
    await Promise.all(creating);
    const staging = join(own.root, 'jobs/crash/binds');
    const second = await startBerth(options);
    const known = (await ask(second, 'ps', '-aq', '--no-trunc')).split('\n');
    expect(known).toContain(kept);
    expect(readdirSync(staging).toSorted()).toEqual(['docker.sock', ...known].toSorted());
    expect(mountsBelow(staging).length).toBe(known.length + 1);
    expect(await ask(second, 'exec', kept, 'cat', '/x/file')).toBe('of the job');
    await ask(second, 'restart', '-t', '0', kept);
    expect(await ask(second, 'exec', kept, 'cat', '/x/file')).toBe('of the job');
    await second.kill9();
    const { code, stdout } = await runBerth(['gc', '--root', own.root, '--run-dir', own.runDir], own);
    expect({ code, stdout: JSON.parse(stdout) as unknown }).toMatchObject({ code: 0, stdout: { leaks: [] } });
    expect(mountsBelow(own.home)).toEqual([]);
    expect(readFileSync(join(workspace, 'file'), 'utf8')).toBe('of the job');
    await removeDirectories(own);
  });

  test('a container whose bind is not mounted any more does not start on an empty directory', async () => {
    const own = await makeDirectories();
    const berth = await startBerth({ job: 'lost', directories: own, args: ['--workspace', workspace] });
    await loadBusybox(berth);
    const id = await ask(berth, 'create', '-v', `${workspace}:/x`, 'busybox', 'ls', '/x');
    execFileSync('umount', [join(own.root, 'jobs/lost/binds', id, '0')]);
    const { code, stderr } = await berth.docker(['start', '-a', id]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('is not mounted any more');
    await ask(berth, 'rm', id);
    const { report } = await berth.stop();
    expect(report?.leaks).toEqual([]);
    await removeDirectories(own);
  });
});

test.each([0o777, 0o770])('a state directory below one with mode %o is refused', async (mode) => {
  const open = mkdtempSync('/tmp/berth-open-');
  mkdirSync(join(open, 'd'), { mode: 0o700 });
  chmodSync(join(open, 'd'), mode);
  const root = join(open, 'd/root');
  const args = ['serve', '--job', 'never', '--root', root, '--run-dir', join(open, 'run')];
  const { code, stderr } = await runBerth(args, { home: open });
  expect(code).not.toBe(0);
  expect(stderr).toContain(`the state directory cannot be trusted: ${join(open, 'd')} is part of its path`);
  expect(existsSync(root)).toBe(false);
  rmSync(open, { recursive: true });
});

function mountsBelow(path: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.split(' ')[4]?.startsWith(`${path}/`));
}
