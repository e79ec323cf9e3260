import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { isErrno } from '../host/errors.ts';
import { loadLibc } from '../host/libc.ts';
import { createHostMounts } from '../host/mounts.ts';
import type { HostMounts, Libc } from '../host/types.ts';
import { createBindAccess } from './bind-access.ts';
import { createRootfsAccess } from './rootfs-access.ts';
import { createTestGuard } from './test-guard.ts';
import { never, plain as unpacking } from './test-root.ts';
import type { BindAccess } from './types-binds.ts';
import type { RootfsAccess, RootHandle } from './types.ts';

// Look-ups into a file system that never answers. It is FUSE's: whoever holds the descriptor leaves its requests alone.

const silenceMs = 2_000;
const initOpcode = 26;
const initSizeBytes = 24 + 64;

let directory: string;
let libc: Libc;
let mounts: HostMounts;
let access: RootfsAccess;
let binds: BindAccess;
let fuse: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-hang-'));
  for (const name of ['root', 'work/hang', 'plain', 'own'])
    mkdirSync(join(directory, name), { recursive: true });
  writeFileSync(join(directory, 'plain/file'), 'plain');
  libc = await loadLibc();
  mounts = createHostMounts({ libc, directory: join(directory, 'points') });
  const guard = await createTestGuard({ mounts, directory, silenceMs });
  access = createRootfsAccess({ libc, mounts, guard });
  binds = await createBindAccess({
    libc,
    mounts,
    guard,
    directory: join(directory, 'binds'),
    workspaces: [join(directory, 'work')],
    ownDirectories: [join(directory, 'own')],
    socketPath: join(directory, 'docker.sock'),
  });
  fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK);
  const data = `fd=${fuse},rootmode=40000,user_id=0,group_id=0,allow_other`;
  libc.mount({ source: 'hang', target: join(directory, 'work/hang'), type: 'fuse', flags: 0, data });
});
afterEach(async () => {
  closeSync(fuse);
  await mounts.unmountBelow(directory);
  rmSync(directory, { recursive: true });
});

const openView = (): Promise<RootHandle> =>
  access.openView(
    [{ type: 'bind', source: join(directory, 'root'), target: '', options: ['rbind', 'rw'] }],
    [{ source: join(directory, 'work'), target: '/work', isReadOnly: false }],
  );

/** Agrees with the kernel on a version, so that it begins to ask, and takes its questions without an answer. */
async function takeQuestions(count: number): Promise<void> {
  const request = Buffer.alloc(1 << 18);
  for (let taken = 0; taken < count;) {
    try {
      const length = readSync(fuse, request, 0, request.length, null);
      if (length > 0 && request.readUInt32LE(4) !== initOpcode) taken += 1;
      if (request.readUInt32LE(4) !== initOpcode) continue;
      const answer = Buffer.alloc(initSizeBytes - 8);
      answer.writeUInt32LE(answer.length, 0);
      answer.writeBigUInt64LE(request.readBigUInt64LE(8), 8);
      answer.writeUInt32LE(7, 16);
      answer.writeUInt32LE(31, 20);
      answer.writeUInt32LE(1 << 16, 36);
      writeSync(fuse, answer);
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error;
      await sleep(10);
    }
  }
}

describe('a file system that never answers', () => {
  test('is given up after a while, and everything else goes on', { timeout: 30_000 }, async () => {
    const root = await openView();
    expect(root.mayHang).toBe(true);
    const plain = await access.openMounts([
      { type: 'bind', source: join(directory, 'plain'), target: '', options: ['rbind', 'rw'] },
    ]);
    const { tar } = await access.readArchive(plain, '/.', never);
    const before = Date.now();
    const lookUps = [
      ...['/work/hang', '/work/hang/file', '/work/hang/.'].map((path) => access.stat(root, path)),
      access.readFile(root, '/work/hang/passwd', 100),
      access.readArchive(root, '/work/hang/file', never),
      access.writeArchive({ root, path: '/work/hang' }, tar, unpacking),
      binds.pin({ path: join(directory, 'work/hang/x'), create: false, pid: undefined }),
    ];
    const settled = Promise.allSettled(lookUps);
    // More of them than this process has threads.
    expect((await stat(directory)).isDirectory()).toBe(true);
    expect((await access.stat(plain, '/file')).size).toBe('plain'.length);
    expect(Date.now() - before).toBeLessThan(silenceMs);
    for (const one of await settled)
      expect(one).toMatchObject({ status: 'rejected', reason: { kind: 'Unavailable' } });
    expect((await access.stat(root, '/work')).name).toBe('work');
    await Promise.all([root.close(), plain.close()]);
  });

  test(
    'holds the processes that it has taken questions of, and nobody else',
    { timeout: 30_000 },
    async () => {
      const root = await openView();
      const asked = Promise.allSettled([
        access.stat(root, '/work/hang'),
        access.stat(root, '/work/hang/file'),
      ]);
      await takeQuestions(1);
      for (const one of await asked)
        expect(one).toMatchObject({
          status: 'rejected',
          reason: { message: expect.stringContaining('does not answer') as string },
        });
      expect((await access.stat(root, '/work')).name).toBe('work');
      await root.close();
    },
  );

  test.each([
    { source: 'own', isOwn: true },
    // As quick, but not where berth's own files are.
    { source: 'memory', isOwn: false },
  ])("is not in a view of $source, which is berth's own: $isOwn", async ({ source, isOwn }) => {
    mkdirSync(join(directory, 'memory'));
    libc.mount({ source: '', target: join(directory, 'memory'), type: 'tmpfs', flags: 0, data: '' });
    const root = await access.openView(
      [{ type: 'bind', source: join(directory, 'root'), target: '', options: ['rbind', 'rw'] }],
      [{ source: join(directory, source), target: '/inner', isReadOnly: false }],
    );
    expect(root).toMatchObject({ mayHang: false, isOwn });
    expect((await access.stat(root, '/inner')).name).toBe('inner');
    await root.close();
  });

  test('is nothing to what is beside it', async () => {
    const root = await openView();
    writeFileSync(join(directory, 'root/file'), 'of the root');
    expect((await access.readFile(root, '/file', 100))?.toString()).toBe('of the root');
    expect(await access.readFile(root, '/missing', 100)).toBeUndefined();
    await expect(access.stat(root, '/missing')).rejects.toMatchObject({
      kind: 'NotFound',
      message: '/missing',
    });
    const { tar } = await access.readArchive(root, '/file', never);
    const bytes = await buffer(tar);
    expect(bytes.includes('of the root')).toBe(true);
    writeFileSync(join(directory, 'work/beside'), '');
    const pinned = await binds.pin({ path: join(directory, 'work/beside'), create: false, pid: undefined });
    expect(pinned.kind).toBe('file');
    pinned.close();
    await root.close();
  });
});
