import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import type { HostMounts } from '../host/types.ts';
import { createBindAccess } from './bind-access.ts';
import { createTestGuard } from './test-guard.ts';
import type { BindAccess, PinnedSource } from './types-binds.ts';

const ID = 'a'.repeat(64);

let top = '';
let binds: BindAccess;
let mounts: HostMounts;
let server: Server;

async function stage(
  path: string,
  options: { readonly pid?: number; readonly index?: number } = {},
): Promise<string> {
  const source = await binds.pin({ path, create: false, pid: options.pid });
  try {
    return await binds.stage(source, { containerId: ID, index: options.index ?? 0, isRecursive: true });
  } finally {
    source.close();
  }
}

async function mountsBelow(path: string): Promise<readonly string[]> {
  return (await mounts.list()).map(({ mountPoint }) => mountPoint).filter((one) => one.startsWith(path));
}

beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'berth-bind-access-'));
  for (const name of ['work/dir', 'own', 'run']) mkdirSync(join(top, name), { recursive: true });
  writeFileSync(join(top, 'work/dir/file'), 'content');
  server = createServer().listen(join(top, 'run/docker.sock'));
  await once(server, 'listening');
  const libc = await loadLibc();
  mounts = createHostMounts({ libc, directory: join(top, 'points') });
  binds = await createBindAccess({
    libc,
    mounts,
    guard: await createTestGuard({ mounts, directory: top }),
    directory: join(top, 'own/binds'),
    workspaces: [join(top, 'work')],
    ownDirectories: [join(top, 'own'), join(top, 'run')],
    socketPath: join(top, 'run/docker.sock'),
  });
});
afterAll(async () => {
  server.close();
  await mounts.unmountBelow(top);
  expect(await mountsBelow(top)).toEqual([]);
  rmSync(top, { recursive: true });
});

describe('a staged source', () => {
  it('is the one that was pinned, whatever happens to its path', async () => {
    const source = await binds.pin({ path: join(top, 'work/dir'), create: false, pid: undefined });
    renameSync(join(top, 'work/dir'), join(top, 'work/moved'));
    mkdirSync(join(top, 'work/dir'));
    const path = await binds.stage(source, { containerId: ID, index: 0, isRecursive: true });
    source.close();
    expect(readdirSync(path)).toEqual(['file']);
    await binds.requireStaged([path, '/elsewhere']);
    rmSync(join(top, 'work/dir'), { recursive: true });
    renameSync(join(top, 'work/moved'), join(top, 'work/dir'));
    await binds.unstage(ID);
  });

  it('goes with unstage, and what it shows stays', async () => {
    await stage(join(top, 'work/dir'));
    const file = await stage(join(top, 'work/dir/file'), { index: 1 });
    expect(readFileSync(file, 'utf8')).toBe('content');
    expect(statSync(join(top, 'own/binds')).mode & 0o777).toBe(0o700);
    expect(await binds.listStaged()).toEqual([ID]);
    await binds.unstage(ID);
    await binds.unstage(ID);
    expect(await binds.listStaged()).toEqual([]);
    expect(await mountsBelow(join(top, 'own/binds'))).toEqual([]);
    expect(readFileSync(join(top, 'work/dir/file'), 'utf8')).toBe('content');
    await expect(binds.requireStaged([file])).rejects.toThrow('is not mounted any more');
  });
});

describe('pin', () => {
  const kindOf = async (path: string): Promise<PinnedSource['kind']> => {
    const source = await binds.pin({ path, create: false, pid: undefined });
    source.close();
    return source.kind;
  };

  it('tells what is there', async () => {
    expect(await kindOf(join(top, 'work/dir'))).toBe('directory');
    expect(await kindOf(join(top, 'work/dir/file'))).toBe('file');
    await expect(kindOf(join(top, 'work/none'))).rejects.toMatchObject({
      kind: 'NotFound',
      message: `bind source path does not exist: ${join(top, 'work/none')}`,
    });
  });

  it('refuses a process of our own mount namespace, and one that has ended', async () => {
    await expect(binds.pin({ path: '/', create: false, pid: process.pid })).rejects.toMatchObject({
      kind: 'Conflict',
    });
    const child = spawn('true');
    await once(child, 'exit');
    await expect(binds.pin({ path: '/', create: true, pid: child.pid })).rejects.toMatchObject({
      kind: 'NotFound',
    });
  });

  it('leaves no descriptor open', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (const path of ['work/dir', 'work/none', 'outside'])
      await kindOf(join(top, path)).catch(() => undefined);
    expect(count()).toBe(before);
  });
});

describe('the socket', () => {
  it('is staged anew for each process that serves it', async () => {
    const inode = (): number => statSync(binds.socketPath).ino;
    await binds.stageSocket();
    expect(inode()).toBe(statSync(join(top, 'run/docker.sock')).ino);
    server.close();
    await once(server, 'close');
    server = createServer().listen(join(top, 'run/docker.sock'));
    await once(server, 'listening');
    await binds.stageSocket();
    expect(inode()).toBe(statSync(join(top, 'run/docker.sock')).ino);
    expect(await mountsBelow(binds.socketPath)).toHaveLength(1);
  });
});

describe('a process in a mount namespace of its own', () => {
  let child: ChildProcess;
  beforeAll(async () => {
    mkdirSync(join(top, 'jail'));
    const script = `mount -t tmpfs jail ${top}/jail && cd ${top}/jail && mkdir -p etc proc deep tmp &&
      mount -t tmpfs -o ro deep deep && mount -t proc proc proc && mount -t tmpfs -o ro over proc/sys &&
      echo inside > etc/file && ln -s /etc tmp/link && cp "$(command -v busybox)" tmp/busybox &&
      exec chroot . /tmp/busybox sh -c 'echo ready; read line'`;
    const args = ['--mount', '--propagation', 'private', 'sh', '-c', script];
    child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout) await once(child.stdout, 'data');
  });
  afterAll(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });

  it('shows its files, through its links and mounts, and nothing of the kernel', async () => {
    const pid = child.pid ?? 0;
    expect(readFileSync(await stage('/tmp/link/file', { pid }), 'utf8')).toBe('inside\n');
    const root = await stage('/', { pid, index: 1 });
    expect(readdirSync(root).toSorted()).toEqual(['deep', 'etc', 'proc', 'tmp']);
    expect(readdirSync(join(root, 'proc'))).toEqual([]);
    expect(() => writeFileSync(join(root, 'deep/x'), '')).toThrow('EROFS');
    expect((await mountsBelow(root)).map((path) => path.slice(root.length))).toEqual(['', '/deep']);
    await expect(stage('/proc/self', { pid, index: 2 })).rejects.toThrow('bind source path');
    await expect(stage('/proc', { pid, index: 2 })).rejects.toThrow("the kernel's own files");
    const made = await binds.pin({ path: '/tmp/link/new', create: true, pid });
    made.close();
    expect(readdirSync(join(root, 'etc')).toSorted()).toEqual(['file', 'new']);
    await binds.unstage(ID);
  });
});
