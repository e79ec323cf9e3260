import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askControl } from '../support/control-client.ts';
import {
  makeDirectories,
  removeDirectories,
  runBerth,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';
import type { CommandResult } from '../support/e2e-process.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';

// Bind mounts: a host path is a path of the job.

const top = mkdtempSync('/tmp/berth-binds-');
const workspace = join(top, 'work');
mkdirSync(join(workspace, 'sub'), { recursive: true });
writeFileSync(join(workspace, 'sub/file'), 'in the workspace');
writeFileSync(join(top, 'outside'), 'of the host');

afterAll(() => {
  rmSync(top, { recursive: true });
});

describe('the workspace', () => {
  const job = useJob({ args: ['--workspace', workspace] });
  const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);
  const fail = (...args: readonly string[]): Promise<CommandResult> =>
    job.berth.docker(['run', '--rm', ...args]);

  test('-v of a directory and of a file: read and written in place', async () => {
    const script = 'cat /x/file /y; echo written > /x/new';
    const out = await run(
      '-v',
      `${workspace}/sub:/x`,
      '-v',
      `${workspace}/sub/file:/y`,
      'busybox',
      'sh',
      '-c',
      script,
    );
    expect(out).toBe('in the workspacein the workspace');
    expect(readFileSync(join(workspace, 'sub/new'), 'utf8')).toBe('written\n');
  });

  test.each(['ro', 'ro,z', 'z,ro', 'cached,ro', 'ro,rprivate', 'readonly'])(
    '-v with %s is read-only',
    async (mode) => {
      const { code, stderr } = await fail(
        '-v',
        `${workspace}/sub:/x:${mode}`,
        'busybox',
        'touch',
        '/x/never',
      );
      expect(code).toBe(1);
      expect(stderr).toContain('Read-only file system');
    },
  );

  test('-v of a missing directory makes it, owned by root', async () => {
    expect(await run('-v', `${workspace}/made/deep/:/x/`, 'busybox', 'stat', '-c', '%u:%g %a', '/x')).toBe(
      '0:0 755',
    );
    expect(lstatSync(join(workspace, 'made/deep')).isDirectory()).toBe(true);
  });

  test('--mount of a missing directory is refused, and does not make it', async () => {
    const missing = join(workspace, 'missing');
    const { code, stderr } = await fail('--mount', `type=bind,src=${missing},dst=/x`, 'busybox', 'true');
    expect(code).toBe(125);
    expect(stderr).toContain(
      `invalid mount config for type "bind": bind source path does not exist: ${missing}`,
    );
    expect(() => lstatSync(missing)).toThrow('ENOENT');
  });

  test('links are followed as a process of the job follows them', async () => {
    symlinkSync('sub', join(workspace, 'relative'));
    symlinkSync(join(workspace, 'sub'), join(workspace, 'absolute'));
    for (const name of ['relative', 'absolute'])
      expect(await run('-v', `${workspace}/${name}:/x`, 'busybox', 'cat', '/x/file')).toBe(
        'in the workspace',
      );
  });

  test('what is outside is refused by name, with the way to open it', async () => {
    for (const source of [join(top, 'outside'), '/etc', '/', `${workspace}/../outside`]) {
      const { code, stderr } = await fail('-v', `${source}:/x`, 'busybox', 'true');
      expect({ source, code }).toEqual({ source, code: 125 });
      expect(stderr).toContain('--workspace');
      expect(stderr).toContain(source === `${workspace}/../outside` ? join(top, 'outside') : source);
    }
  });

  test('inspect shows what the user wrote', async () => {
    const { berth } = job;
    const id = await ask(
      berth,
      'create',
      '-v',
      `${workspace}//sub/:/x:ro`,
      '--mount',
      `type=bind,src=${workspace},dst=/y`,
      'busybox',
    );
    const bind = { Type: 'bind', Propagation: 'rprivate' };
    expect(JSON.parse(await ask(berth, 'inspect', '-f', '{{json .Mounts}}', id))).toEqual([
      { ...bind, Source: `${workspace}/sub`, Destination: '/x', Mode: 'ro', RW: false },
      { ...bind, Source: workspace, Destination: '/y', Mode: '', RW: true },
    ]);
    await ask(berth, 'rm', id);
  });

  test("an image's own volume gives way to a bind", async () => {
    const id = await ask(job.berth, 'create', '-v', '/x', '-v', `${workspace}/sub:/x`, 'busybox');
    expect(await ask(job.berth, 'inspect', '-f', '{{range .Mounts}}{{.Type}} {{end}}', id)).toBe('bind');
    await ask(job.berth, 'rm', id);
  });

  test('docker cp reaches the bind of a stopped container', async () => {
    const id = await ask(job.berth, 'create', '-v', `${workspace}/sub:/x`, 'busybox');
    await ask(job.berth, 'cp', `${id}:/x/file`, join(top, 'copied'));
    expect(readFileSync(join(top, 'copied'), 'utf8')).toBe('in the workspace');
    await ask(job.berth, 'rm', id);
  });

  test('docker cp of a bound file works, before the container runs and while it does', async () => {
    const { berth } = job;
    const id = await ask(berth, 'create', '-v', `${workspace}/sub/file:/y`, 'busybox', 'sleep', '1000');
    for (const copy of ['created', 'running']) {
      await ask(berth, 'cp', `${id}:/y`, join(top, copy));
      expect(readFileSync(join(top, copy), 'utf8')).toBe('in the workspace');
      await ask(berth, 'start', id);
    }
    await ask(berth, 'rm', '-f', id);
  });

  test("the Docker socket is the job's own, in any spelling", async () => {
    const own = String(lstatSync(job.berth.ready.socket).ino);
    for (const source of ['/var/run/docker.sock', '/run/docker.sock', '//var//run/../run/docker.sock'])
      expect(await run('-v', `${source}:/s.sock:ro`, 'busybox', 'stat', '-c', '%i', '/s.sock')).toBe(own);
  });
});

describe('a job container', () => {
  let home: BerthDirectories;
  let runner: Berth;
  let berth: Berth;
  let jobContainer = '';
  beforeAll(async () => {
    home = await makeDirectories();
    // Another job of the same containerd stands for the runner that made the job container.
    runner = await startBerth({ job: 'runner', directories: home, args: ['--workspace', workspace] });
    berth = await startBerth({ job: 'inner', directories: home });
    await Promise.all([loadBusybox(runner), loadBusybox(berth)]);
    jobContainer = await ask(
      runner,
      ...[
        'run',
        '-d',
        '-v',
        `${workspace}:/__w`,
        '-v',
        `${workspace}/sub:/__w/locked:ro`,
        '--tmpfs',
        '/scratch',
      ],
      ...[
        'busybox',
        'sh',
        '-c',
        'mkdir -p /own; echo its own > /own/file; echo tmp > /scratch/t; sleep 1000',
      ],
    );
    await ask(runner, 'exec', jobContainer, 'sh', '-c', 'until [ -f /scratch/t ]; do sleep 0.05; done');
  });
  afterAll(async () => {
    const ends = [await berth.stop(), await runner.stop()];
    await removeDirectories(home);
    expect(ends.map(({ code, report }) => ({ code, leaks: report?.leaks }))).toEqual([
      { code: 0, leaks: [] },
      { code: 0, leaks: [] },
    ]);
    expect(readFileSync(join(workspace, 'sub/file'), 'utf8')).toBe('in the workspace');
  });
  const register = (body: unknown): ReturnType<typeof askControl> =>
    askControl(berth.ready.controlSocket, { method: 'PUT', path: '/_berth/job-container', body });
  const pidOf = async (): Promise<number> =>
    Number(await ask(runner, 'inspect', '-f', '{{.State.Pid}}', jobContainer));

  test.each([
    [{}, 400],
    [{ namespace: 'x' }, 400],
    [{ namespace: '../x', id: 'y' }, 400],
    [{ pid: 1, namespace: 'x', id: 'y' }, 400],
    [{ pid: 0 }, 400],
    [{ pid: 'self' }, 400],
    [{ pid: 4_000_000 }, 404],
    [{ namespace: 'berth-runner', id: 'none' }, 404],
    [{ namespace: 'berth-runner', id: 'none', more: 1 }, 400],
    // Of the host itself.
    [{ pid: process.pid }, 409],
  ])('cannot be %j: %i', async (body, status) => {
    const answer = await register(body);
    expect(answer.status, answer.body).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty('message');
  });

  test('the control socket is for root only', () => {
    expect(lstatSync(berth.ready.controlSocket).mode & 0o777).toBe(0o600);
  });

  test.each(['containerd', 'pid'])('by %s: paths are its own, through its mounts', async (kind) => {
    const body = kind === 'pid' ? { pid: await pidOf() } : { namespace: 'berth-runner', id: jobContainer };
    expect(await register(body)).toMatchObject({ status: 200 });
    const show = (source: string, path: string): Promise<string> =>
      ask(berth, 'run', '--rm', '-v', `${source}:/x`, 'busybox', 'cat', path);
    expect(await show('/own', '/x/file')).toBe('its own');
    expect(await show('/__w', '/x/sub/file')).toBe('in the workspace');
    expect(await show('/__w/sub', '/x/file')).toBe('in the workspace');
    expect(await show('/scratch', '/x/t')).toBe('tmp');
    expect(await show('/', '/x/own/file')).toBe('its own');
    expect(await show('/', '/x/__w/locked/file')).toBe('in the workspace');
    await ask(berth, 'run', '--rm', '-v', `/made-${kind}/deep:/x`, 'busybox', 'touch', '/x/f');
    await ask(runner, 'exec', jobContainer, 'ls', `/made-${kind}/deep/f`);
  });

  test('what is read-only in the job container stays so', async () => {
    for (const source of ['/__w/locked', '/__w']) {
      const path = source === '/__w' ? '/x/locked/never' : '/x/never';
      const { code, stderr } = await berth.docker([
        'run',
        '--rm',
        '-v',
        `${source}:/x`,
        'busybox',
        'touch',
        path,
      ]);
      expect({ source, code }).toEqual({ source, code: 1 });
      expect(stderr).toContain('Read-only');
    }
  });

  test('the registration outlives berth', async () => {
    const stopped = await ask(berth, 'create', '-v', '/own:/x', 'busybox', 'cat', '/x/file');
    await berth.kill9();
    berth = await startBerth({ job: 'inner', directories: home });
    expect(await ask(berth, 'start', '-a', stopped)).toBe('its own');
    expect(await ask(berth, 'run', '--rm', '-v', '/own:/x', 'busybox', 'cat', '/x/file')).toBe('its own');
  });

  test('one that has ended is said so', async () => {
    await ask(runner, 'rm', '-f', jobContainer);
    const { code, stderr } = await berth.docker(['run', '--rm', '-v', '/own:/x', 'busybox', 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain('the job container does not run');
  });
});

describe('berth run', () => {
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
  const berthRun = (...args: readonly string[]): Promise<CommandResult> =>
    runBerth(['run', '--root', home.root, '--run-dir', home.runDir, '--workspace', workspace, ...args], home);
  const script = (): string =>
    `cd ${workspace}/sub && docker run --rm -v "$PWD:/x" ${registry.host}/job:1 cat /x/file`;

  test('without an image: the working directory can be bound', async () => {
    const { code, stdout, stderr } = await berthRun('--', 'sh', '-c', script());
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('in the workspace');
  });

  test('with one: the working directory of the job container can be bound, and its own files', async () => {
    const dockerCli = execFileSync('sh', ['-c', 'command -v docker']).toString().trim();
    const own = `echo its own > /own && docker run --rm -v /own:/x ${registry.host}/job:1 cat /x`;
    const image = ['--image', `${registry.host}/job:1`, '-v', `${dockerCli}:/usr/bin/docker:ro`];
    const { code, stdout, stderr } = await berthRun(...image, '--', 'sh', '-c', `${own} && ${script()}`);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('its own\nin the workspace');
  });
});
