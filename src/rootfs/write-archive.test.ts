import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createTestRoot, makeTar, plain, type TestEntry, type TestRoot } from './test-root.ts';

describe('writing files of containers', () => {
  let testRoot: TestRoot;
  beforeEach(async () => {
    testRoot = await createTestRoot();
  });
  afterEach(() => testRoot.dispose());

  test('modes, owners, times, links and nodes are as the archive says', async () => {
    const { rootPath, put } = testRoot;
    const mtime = new Date(1_000_000_000_000);
    await put([
      { name: 'new/', type: 'directory', mode: 0o1777, mtime },
      { name: 'new/suid', mode: 0o4755, uid: 5, gid: 6, mtime, content: 'x' },
      { name: 'new/link', type: 'symlink', linkname: '/anywhere', mtime },
      { name: 'new/hard', type: 'link', linkname: 'new/suid' },
      { name: 'new/null', type: 'character-device', devmajor: 1, devminor: 3, mode: 0o666, mtime },
      { name: 'new/fifo', type: 'fifo', mode: 0o622, mtime },
      { name: 'implied/parents/file', content: 'y' },
    ]);
    const at = (name: string): Stats => lstatSync(join(rootPath, name));
    expect(at('new').mode & 0o7777).toBe(0o1777);
    expect(at('new').mtimeMs).toBe(mtime.getTime());
    const suid = at('new/suid');
    expect([suid.mode & 0o7777, suid.uid, suid.gid, suid.mtimeMs]).toEqual([0o4755, 5, 6, mtime.getTime()]);
    expect(suid.ino).toBe(at('new/hard').ino);
    expect(readlinkSync(join(rootPath, 'new/link'))).toBe('/anywhere');
    expect([at('new/null').rdev, at('new/null').mode & 0o7777]).toEqual([0x103, 0o666]);
    expect([at('new/fifo').isFIFO(), at('new/fifo').mode & 0o777]).toEqual([true, 0o622]);
    expect(at('implied').mode & 0o777).toBe(0o755);
  });

  test('owners are replaced unless they are to be kept', async () => {
    const { rootPath, put } = testRoot;
    await put([{ name: 'file', uid: 5, gid: 6 }], '/', { copyUidGid: false });
    expect([statSync(join(rootPath, 'file')).uid, statSync(join(rootPath, 'file')).gid]).toEqual([0, 0]);
    await put([{ name: 'file', uid: 5, gid: 6 }], '/', { copyUidGid: false, owner: { uid: 7, gid: 8 } });
    expect([statSync(join(rootPath, 'file')).uid, statSync(join(rootPath, 'file')).gid]).toEqual([7, 8]);
  });

  test('the target must be a directory that exists; links to one lead there', async () => {
    const { rootPath, put } = testRoot;
    writeFileSync(join(rootPath, 'etc/file'), '');
    symlinkSync('/etc', join(rootPath, 'config'));
    await expect(put([{ name: 'x' }], '/none')).rejects.toMatchObject({
      kind: 'NotFound',
      message: '/none',
    });
    await expect(put([{ name: 'x' }], '/etc/file')).rejects.toMatchObject({
      kind: 'InvalidArgument',
      message: 'extraction point is not a directory',
    });
    await put([{ name: 'x', content: 'there' }], '/config');
    expect(readFileSync(join(rootPath, 'etc/x'), 'utf8')).toBe('there');
  });

  test('a directory gives way to a file and the other way round, unless that is refused', async () => {
    const { rootPath, outside, put } = testRoot;
    mkdirSync(join(rootPath, 'a/deep/er'), { recursive: true });
    symlinkSync(outside, join(rootPath, 'a/deep/er/out'));
    writeFileSync(join(rootPath, 'b'), '');
    const entries: TestEntry[] = [{ name: 'a', content: 'file' }];
    await expect(put(entries, '/', { noOverwriteDirNonDir: true })).rejects.toThrow(
      'cannot overwrite directory "/a" with non-directory "/"',
    );
    await expect(
      put([{ name: 'b/', type: 'directory' }], '/', { noOverwriteDirNonDir: true }),
    ).rejects.toThrow('cannot overwrite non-directory "/b" with directory "/"');
    await put([...entries, { name: 'b/', type: 'directory' }, { name: 'b/in', content: 'x' }]);
    expect(readFileSync(join(rootPath, 'a'), 'utf8')).toBe('file');
    expect(readFileSync(join(rootPath, 'b/in'), 'utf8')).toBe('x');
    expect(readdirSync(outside)).toEqual(['secret']);
  });

  test('gzip is unpacked; other compressions, rubbish and a cut archive are the caller’s fault', async () => {
    const { rootPath, access, root } = testRoot;
    const tar = await makeTar([{ name: 'file', content: 'x'.repeat(100_000) }]);
    const write = (bytes: Buffer): Promise<void> =>
      access.writeArchive({ root, path: '/' }, Readable.from([bytes]), plain);
    await write(gzipSync(tar));
    expect(statSync(join(rootPath, 'file')).size).toBe(100_000);
    const bad = [
      Buffer.from('BZh91AY'),
      Buffer.from('fd377a585a00', 'hex'),
      Buffer.alloc(600, 'x'),
      tar.subarray(0, 5000),
    ];
    for (const bytes of [...bad, gzipSync(tar).subarray(0, 100)]) {
      await expect(write(bytes)).rejects.toMatchObject({ kind: 'InvalidArgument' });
    }
  });

  test('a read-only root and an abort are errors of their own', async () => {
    const { rootPath, access, root } = testRoot;
    const readOnly = await access.openMounts([
      { type: 'bind', source: rootPath, target: '', options: ['ro', 'bind'] },
    ]);
    const tar = await makeTar([{ name: 'x' }]);
    await expect(
      access.writeArchive({ root: readOnly, path: '/' }, Readable.from([tar]), plain),
    ).rejects.toMatchObject({
      kind: 'PermissionDenied',
      message: 'container rootfs is marked read-only',
    });
    await readOnly.close();
    const abort = new AbortController();
    const endless = new Readable({ read: () => undefined });
    endless.push(tar.subarray(0, 100));
    const writing = access.writeArchive({ root, path: '/' }, endless, { ...plain, signal: abort.signal });
    setTimeout(() => {
      abort.abort();
      endless.destroy();
    }, 20);
    await expect(writing).rejects.toMatchObject({ kind: 'Cancelled' });
  });

  test('mkdirAll makes parents through links inside, and refuses a file in the way', async () => {
    const { rootPath, access, root } = testRoot;
    symlinkSync('/etc', join(rootPath, 'config'));
    writeFileSync(join(rootPath, 'file'), '');
    await access.mkdirAll(root, '/config/a/b', 0o750);
    expect(statSync(join(rootPath, 'etc/a/b')).mode & 0o777).toBe(0o750);
    await access.mkdirAll(root, '/config/a/b', 0o700);
    await expect(access.mkdirAll(root, '/file/x', 0o755)).rejects.toMatchObject({ kind: 'NotFound' });
  });
});
