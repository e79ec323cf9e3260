import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askControl } from '../support/control-client.ts';
import {
  makeDirectories,
  removeDirectories,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import type { CommandResult } from '../support/e2e-process.ts';

// Sources of bind mounts, with real runc: whatever the job plants, renames or spells, no file of the host is shown.

const SECRET = 'of the host';
const RUNS_IN_RACE = 12;

const top = mkdtempSync('/tmp/berth-binds-');
const workspace = join(top, 'work');
const secret = join(top, 'secret');
let home: BerthDirectories;
let runner: Berth;
let berth: Berth;
let inWorkspace: Berth;
let jobContainer = '';
let server: Server;

beforeAll(async () => {
  mkdirSync(workspace);
  mkdirSync(secret);
  writeFileSync(join(secret, 'file'), SECRET);
  writeFileSync(join(workspace, 'file'), 'of the job');
  server = createServer().listen(join(workspace, 'socket'));
  home = await makeDirectories();
  runner = await startBerth({ job: 'runner', directories: home });
  berth = await startBerth({ job: 'inner', directories: home });
  inWorkspace = await startBerth({ job: 'plain', directories: home, args: ['--workspace', workspace] });
  for (const one of [runner, berth, inWorkspace]) await loadBusybox(one);
  jobContainer = await ask(runner, 'run', '-d', 'busybox', 'sh', '-c', 'sleep 10000');
  await inJob(
    'echo machine-of-the-job > /etc/machine-id; ln -s / /tmp/esc; mkfifo /tmp/fifo; mknod /tmp/null c 1 3;' +
      'ln -s /proc/1/root /tmp/magic; ln -s /proc/1/fd/0 /tmp/fd; mkdir /tmp/empty; ln -s ../../../../../.. /tmp/up',
  );
  const { status } = await askControl(berth.ready.controlSocket, {
    method: 'PUT',
    path: '/_berth/job-container',
    body: { namespace: 'berth-runner', id: jobContainer },
  });
  expect(status).toBe(200);
});
afterAll(async () => {
  server.close();
  const ends = [];
  for (const one of [inWorkspace, berth, runner]) ends.push(await one.stop());
  await removeDirectories(home);
  rmSync(top, { recursive: true });
  expect(ends.map(({ report }) => report?.leaks)).toEqual([[], [], []]);
});

function inJob(script: string): Promise<string> {
  return ask(runner, 'exec', jobContainer, 'sh', '-c', script);
}

function mount(one: Berth, source: string, ...command: readonly string[]): Promise<CommandResult> {
  return one.docker(['run', '--rm', '--mount', `type=bind,src=${source},dst=/x`, 'busybox', ...command]);
}

/** By a volume that stands for the directory: the refusal of one or the other. */
async function byOptions(one: Berth, device: string): Promise<string> {
  const options = ['type=none', 'o=rbind', `device=${device}`].flatMap((option) => ['--opt', option]);
  const made = await one.docker(['volume', 'create', ...options, 'door']);
  const { stderr } = await one.docker(['run', '--rm', '-v', 'door:/x', 'busybox', 'true']);
  await ask(one, 'volume', 'rm', 'door');
  return `${made.stderr}${stderr}`;
}

describe('in the view of a job container', () => {
  test.each([
    ['/', 'cat /x/etc/machine-id', 'machine-of-the-job\n'],
    ['/tmp/esc/etc', 'cat /x/machine-id', 'machine-of-the-job\n'],
    ['/tmp/up/etc', 'cat /x/machine-id', 'machine-of-the-job\n'],
    ['/../../etc', 'cat /x/machine-id', 'machine-of-the-job\n'],
    // Neither what the runtime has masked there, nor what it has made read-only, is to be had by a bind.
    ['/', 'ls /x/proc /x/sys', '/x/proc:\n\n/x/sys:\n'],
  ])('%s is its own: %s', async (source, script, output) => {
    const byMount = await mount(berth, source, 'sh', '-c', script);
    const byVolume = await berth.docker(['run', '--rm', '-v', `${source}:/x`, 'busybox', 'sh', '-c', script]);
    expect([byMount.stdout, byVolume.stdout], byMount.stderr).toEqual([output, output]);
  });

  test.each([
    '/proc',
    '/proc/self/root',
    '/proc/1/root/etc',
    '/proc/self/cwd',
    '/proc/self/fd/3',
    '/dev/fd/3',
    '/dev/null',
    '/sys/fs/cgroup',
    '/tmp/magic',
    '/tmp/magic/etc',
    '/tmp/fd',
    '/tmp/esc/proc',
    '/tmp/fifo',
    '/tmp/null',
    '/run/containerd/containerd.sock',
    '/var/lib/containerd',
    secret,
  ])('%s is refused', async (source) => {
    for (const flags of [
      ['-v', `${source}:/x`],
      ['--mount', `type=bind,src=${source},dst=/x`],
    ]) {
      const { code, stdout, stderr } = await berth.docker(['create', ...flags, 'busybox', 'true']);
      const isMissing = flags[0] === '-v' && code === 0;
      if (isMissing) {
        // Nothing is there in the job, so `-v` has made it, there.
        await ask(berth, 'rm', stdout.trim());
        await inJob(`rmdir ${source}`);
      } else {
        expect({ flags, code }).toEqual({ flags, code: 1 });
        expect(stderr).toMatch(/invalid mount config for type "bind": bind source path/);
      }
    }
    expect(await byOptions(berth, source)).toMatch(/bind source path|driverOpts/);
  });

  test.each(['shared', 'rshared', 'slave', 'rslave'])('propagation %s is refused', async (propagation) => {
    const mounted = `type=bind,src=/tmp,dst=/x,bind-propagation=${propagation}`;
    for (const flags of [
      ['-v', `/tmp:/x:${propagation}`],
      ['--mount', mounted],
    ]) {
      const { code, stderr } = await berth.docker(['create', ...flags, 'busybox', 'true']);
      expect({ flags, code }).toEqual({ flags, code: 1 });
      expect(stderr).toMatch(/^Error response from daemon: HostConfig\.(Binds|Mounts) .* is refused/);
    }
  });

  test.each([
    ['-v', '/tmp:/x', '-v', '/etc:/x'],
    ['-v', '/tmp:/x', '--mount', 'type=bind,src=/etc,dst=/x/'],
    ['-v', '/tmp:/x', '--tmpfs', '/x'],
  ])('%s %s %s %s: one target twice', async (...flags) => {
    const { code, stderr } = await berth.docker(['create', ...flags, 'busybox', 'true']);
    expect(code).toBe(1);
    expect(stderr).toContain('Duplicate mount point: /x');
  });

  test('the staging directory is for root alone, and no container sees it', async () => {
    const id = await ask(berth, 'run', '-d', '-v', '/:/x', 'busybox', 'sleep', '1000');
    const staging = join(home.root, 'jobs/inner/binds');
    expect(lstatSync(staging).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(staging, id)).mode & 0o777).toBe(0o700);
    expect(
      await ask(berth, 'exec', id, 'sh', '-c', `ls -d ${staging} /x${staging} 2>/dev/null; mount`),
    ).not.toContain(staging.slice(0, -1));
    await ask(berth, 'rm', '-f', id);
    // What no client can see of a removal follows behind its answer.
    await expect.poll(() => readdirSync(staging)).toEqual(['docker.sock']);
  });

  test('a directory that is swapped for a link all the time is never the one of the host', async () => {
    await inJob('mkdir -p /race/dir; echo of the job > /race/dir/file; mkdir /race/dir/deep');
    // The link leads to the secret where it is followed by the host's root directory, above the race or by its end.
    await inJob(`ln -s ../../../../../../../..${top} /race/link; mkdir -p /race/dir/secret`);
    const swap = 'cd /race; while :; do mv -T dir d; mv -T link dir; mv -T dir link; mv -T d dir; done';
    await ask(runner, 'exec', '-d', jobContainer, 'sh', '-c', swap);
    const outputs = await raceRuns(berth, ['/race/dir', '/race/dir/secret']);
    expect(outputs).toContain('of the job');
    expect(outputs).not.toContain(SECRET);
  });
});

describe('in the workspaces', () => {
  test.each([
    '/',
    '/etc',
    '/run/containerd/containerd.sock',
    '/proc/self/root',
    '/dev/null',
    `${workspace}/../secret`,
    `${workspace}x`,
    top,
    secret,
    `${workspace}/socket`,
    `${workspace}/link`,
    `${workspace}/link/file`,
    `${workspace}/up/secret/file`,
    `${workspace}/magic`,
  ])('%s is refused', async (source) => {
    for (const [name, target] of Object.entries({ link: secret, up: '..', magic: '/proc/self/root' }))
      if (!existsSync(join(workspace, name))) symlinkSync(target, join(workspace, name));
    for (const flags of [
      ['-v', `${source}:/x`],
      ['--mount', `type=bind,src=${source},dst=/x`],
    ]) {
      const { code, stderr } = await inWorkspace.docker(['create', ...flags, 'busybox', 'true']);
      expect({ flags, code }).toEqual({ flags, code: 1 });
      expect(stderr).toMatch(/invalid mount config for type "bind": bind source path/);
    }
    expect(await byOptions(inWorkspace, source)).toMatch(/bind source path|driverOpts/);
  });

  test("berth's own directories are refused in a workspace that holds them", async () => {
    const wide = await startBerth({ job: 'wide', directories: home, args: ['--workspace', home.home] });
    try {
      await loadBusybox(wide);
      for (const source of [
        home.root,
        `${home.root}/jobs/wide`,
        `${home.root}/jobs/wide/binds`,
        home.runDir,
      ]) {
        const { code, stderr } = await wide.docker(['create', '-v', `${source}:/x`, 'busybox', 'true']);
        expect({ source, code }).toEqual({ source, code: 1 });
        expect(stderr).toContain('bind source path holds files of berth itself: (host path)');
      }
      const all = await wide.docker(['create', '-v', `${home.home}:/x`, 'busybox', 'true']);
      expect(all.stderr).toContain(`bind source path holds files of berth itself: ${home.home}`);
    } finally {
      await wide.stop();
    }
  });

  test('a directory that is swapped for a link all the time is never the one of the host', async () => {
    mkdirSync(join(workspace, 'race/dir/secret'), { recursive: true });
    writeFileSync(join(workspace, 'race/dir/file'), 'of the job');
    symlinkSync(top, join(workspace, 'race/link'));
    const swapper = await startSwapper(join(workspace, 'race'));
    try {
      const outputs = await raceRuns(inWorkspace, [
        join(workspace, 'race/dir'),
        join(workspace, 'race/dir/secret'),
      ]);
      expect(outputs).toContain('of the job');
      expect(outputs).not.toContain(SECRET);
    } finally {
      swapper.kill('SIGKILL');
    }
  });
});

/** Runs containers on each source, and one over and over again; answers all that they saw of a file. */
async function raceRuns(one: Berth, sources: readonly string[]): Promise<string> {
  const show = 'cat /x/file /x/secret/file 2>/dev/null; true';
  let seen = '';
  let refused = 0;
  for (let run = 0; run < RUNS_IN_RACE; run += 1)
    for (const source of sources) {
      const { stdout, stderr, code } = await mount(one, source, 'sh', '-c', show);
      if (code !== 0) expect(stderr).toContain('invalid mount config for type "bind"');
      if (code !== 0) refused += 1;
      seen += stdout;
    }
  // Else nothing was swapped, and nothing is proven.
  expect(refused).toBeGreaterThan(0);
  let id = '';
  for (let tries = 0; id === '' && tries < 50; tries += 1) {
    const flags = ['--mount', `type=bind,src=${sources[0] ?? ''},dst=/x`];
    id = (await one.docker(['create', ...flags, 'busybox', 'sh', '-c', show])).stdout.trim();
  }
  for (let start = 0; start < RUNS_IN_RACE; start += 1) seen += await ask(one, 'start', '-a', id);
  for (let restart = 0; restart < RUNS_IN_RACE / 2; restart += 1) {
    await ask(one, 'restart', id);
    await ask(one, 'wait', id);
  }
  seen += await ask(one, 'logs', id);
  await ask(one, 'rm', id);
  return seen;
}

async function startSwapper(directory: string): Promise<ChildProcess> {
  const code = `
    const { renameSync } = require('node:fs');
    process.chdir(${JSON.stringify(directory)});
    process.send('ready');
    for (;;) {
      renameSync('dir', 'd'); renameSync('link', 'dir'); renameSync('dir', 'link'); renameSync('d', 'dir');
    }`;
  const file = join(top, 'swap.cjs');
  writeFileSync(file, code);
  const child = fork(file);
  await once(child, 'message');
  return child;
}
