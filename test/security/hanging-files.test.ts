import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLibc } from '../../src/host/libc.ts';
import { createHostMounts } from '../../src/host/mounts.ts';
import type { Libc } from '../../src/host/types.ts';
import { createApiClient, type ApiClient } from '../support/api-client.ts';
import { showLogsOnFailure, startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { packTar } from '../support/image-builder.ts';

// A file system that never answers, in a container and in a workspace. Look-ups into it end in bounded time, and
// nothing else waits for them.

const SOON_MS = 12_000;
const GIVEN_UP_MS = 30_000;
/** Three times this is more than a process of Node has threads. */
const LOOK_UPS = 2;
const START_SECONDS = 4;
/** More than may start at once. */
const EXECS = 9;

let workspace: string;
let berth: Berth;
let api: ApiClient;
let libc: Libc;
const held: number[] = [];

beforeAll(async () => {
  libc = await loadLibc();
  workspace = await mkdtemp('/tmp/berth-hang-');
  await mkdir(join(workspace, 'hang'));
  await writeFile(join(workspace, 'file'), 'answers');
  berth = await startBerth({
    args: ['--workspace', workspace],
    config: `[limits]\nstart_seconds = ${START_SECONDS}\n`,
  });
  await loadBusybox(berth);
  api = createApiClient(berth.ready.socket);
  const script = 'echo answers > /file; mkdir /hang; exec sleep 10000';
  const id = await ask(berth, 'run', '-d', '--name', 'box', 'busybox', 'sh', '-c', script);
  await expectSoon(() => ask(berth, 'exec', 'box', 'test', '-d', '/hang'));
  await mountInContainer(Number(await ask(berth, 'inspect', '-f', '{{.State.Pid}}', id)));
});
showLogsOnFailure(() => [berth]);
afterAll(async () => {
  for (const fd of held) closeSync(fd);
  await createHostMounts({ libc, directory: workspace }).unmountBelow(workspace);
  const end = await berth.stop();
  await rm(workspace, { recursive: true });
  expect(end.report?.leaks).toEqual([]);
});

/** A FUSE file system whose requests nobody reads, as options of its mount. */
function openFuse(): { readonly fd: number; readonly options: (fd: number) => string } {
  const fd = openSync('/dev/fuse', constants.O_RDWR);
  held.push(fd);
  return { fd, options: (number) => `fd=${number},rootmode=40000,user_id=0,group_id=0,allow_other` };
}

async function mountInContainer(pid: number): Promise<void> {
  const { fd, options } = openFuse();
  const mount = ['mount', '-t', 'fuse', '-o', options(3), 'hang', '/hang'];
  const child = spawn('nsenter', ['--target', String(pid), '--mount', '--', ...mount], {
    stdio: ['ignore', 'inherit', 'inherit', fd],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  expect(code).toBe(0);
}

async function expectSoon<T>(action: () => Promise<T>): Promise<T> {
  const before = Date.now();
  const result = await action();
  expect(Date.now() - before).toBeLessThan(SOON_MS);
  return result;
}

const archive = (path: string): string => `/containers/box/archive?path=${encodeURIComponent(path)}`;

describe('a file system in a container that never answers', () => {
  test('ends each look-up of docker cp, while everything else goes on', async () => {
    const before = Date.now();
    const tar = await packTar([{ path: 'planted', type: 'file', content: 'x' }]);
    const lookUps = Array.from({ length: LOOK_UPS }, () => [
      api.get(archive('/hang/file')),
      api.get(archive('/hang')),
      api.put(archive('/hang'), tar),
    ]).flat();
    const settled = Promise.all(lookUps);
    // Begins with a HEAD.
    const copy = berth.docker(['cp', 'box:/hang/.', '-']);
    for (let round = 0; round < 3; round += 1) {
      expect((await expectSoon(() => api.get('/_ping'))).status).toBe(200);
      expect((await expectSoon(() => api.get(archive('/file')))).status).toBe(200);
      await expectSoon(() => ask(berth, 'run', '--rm', '-v', `${workspace}/file:/x`, 'busybox', 'cat', '/x'));
      expect((await expectSoon(() => api.get('/containers/box/changes'))).status).toBe(200);
      await expectSoon(() => api.get('/containers/box/export'));
    }
    for (const { status, message } of await settled)
      expect([status, message]).toEqual([503, expect.stringContaining('does not answer')]);
    expect((await copy).code).toBe(1);
    expect(Date.now() - before).toBeLessThan(GIVEN_UP_MS);
  });
});

describe('an exec that the runtime cannot start since a file system never answers', () => {
  test.each([
    ['working directory', ['-w', '/hang', 'box', 'true']],
    ['program', ['box', '/hang/program']],
  ])('is ended where that is its %s, while those of other containers start', async (_what, command) => {
    await ask(berth, 'run', '-d', '--rm', '--name', 'other', 'busybox', 'sleep', '10000');
    const before = Date.now();
    const hung = Array.from({ length: EXECS }, () => berth.docker(['exec', ...command]));
    for (let round = 0; round < 5; round += 1)
      expect(await expectSoon(() => ask(berth, 'exec', 'other', 'echo', 'here'))).toBe('here');
    for (const { code, stdout, stderr } of await Promise.all(hung)) {
      expect(stdout + stderr).toContain(`did not start within ${START_SECONDS} seconds`);
      expect(code).not.toBe(0);
    }
    expect(Date.now() - before).toBeLessThan(GIVEN_UP_MS);
    expect(await ask(berth, 'exec', 'box', 'echo', 'here')).toBe('here');
    expect(await ask(berth, 'exec', 'box', 'ps')).not.toContain('runc');
    await ask(berth, 'rm', '-f', 'other');
  });
});

describe('a file system in a workspace that never answers', () => {
  test('ends each bind of it, while others go on', async () => {
    const { fd, options } = openFuse();
    libc.mount({
      source: 'hang',
      target: join(workspace, 'hang'),
      type: 'fuse',
      flags: 0,
      data: options(fd),
    });
    const binds = ['hang', 'hang/file', 'hang/.'].map((path) =>
      berth.docker(['create', '-v', `${workspace}/${path}:/x`, 'busybox', 'true']),
    );
    await expectSoon(() => ask(berth, 'run', '--rm', '-v', `${workspace}/file:/x`, 'busybox', 'cat', '/x'));
    for (const { code, stderr } of await Promise.all(binds)) {
      expect(stderr).toContain('does not answer');
      expect(code).toBe(1);
    }
    await expectSoon(() => ask(berth, 'create', '-v', `${workspace}/file:/x`, 'busybox', 'true'));
    expect((await expectSoon(() => api.get('/_ping'))).status).toBe(200);
  });
});
