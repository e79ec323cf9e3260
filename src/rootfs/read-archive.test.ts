import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createTestRoot, never, type TestRoot } from './test-root.ts';

describe('reading files of containers', () => {
  let testRoot: TestRoot;
  beforeEach(async () => {
    testRoot = await createTestRoot();
  });
  afterEach(() => testRoot.dispose());

  test('links are followed inside the root only, and what is absent is undefined', async () => {
    const { rootPath, outside, access, root } = testRoot;
    writeFileSync(join(rootPath, 'etc/passwd'), 'inside');
    symlinkSync('/etc/passwd', join(rootPath, 'absolute'));
    symlinkSync('../../../../../etc/passwd', join(rootPath, 'climbing'));
    symlinkSync(join(outside, 'secret'), join(rootPath, 'out'));
    for (const path of ['/etc/passwd', 'absolute', '/climbing', '/../etc/passwd']) {
      expect((await access.readFile(root, path, 100))?.toString()).toBe('inside');
    }
    for (const path of ['/out', '/none', '/etc/passwd/x'])
      expect(await access.readFile(root, path, 100)).toBeUndefined();
    await expect(access.readFile(root, '/etc/passwd', 5)).rejects.toMatchObject({
      kind: 'InvalidArgument',
    });
    await expect(access.readFile(root, '/etc', 5)).rejects.toMatchObject({ kind: 'InvalidArgument' });
  });

  test('a FIFO and a device are refused at once', async () => {
    const { rootPath, access, root, list } = testRoot;
    execFileSync('mkfifo', [join(rootPath, 'fifo')]);
    execFileSync('mknod', [join(rootPath, 'zero'), 'c', '1', '5']);
    for (const path of ['/fifo', '/zero']) {
      await expect(access.readFile(root, path, 10)).rejects.toMatchObject({ kind: 'InvalidArgument' });
    }
    expect(await list('/fifo')).toEqual(['prw-r--r-- fifo']);
    expect(await list('/zero')).toEqual(['crw-r--r-- zero']);
  });

  test.each(['', 'a\0b', '/'.padEnd(5000, 'x')])('the path %j is refused', async (path) => {
    const { access, root } = testRoot;
    await expect(access.stat(root, path)).rejects.toMatchObject({ kind: 'InvalidArgument' });
    await expect(access.readFile(root, path, 10)).rejects.toMatchObject({ kind: 'InvalidArgument' });
  });

  test('stat speaks Go and resolves a link as dockerd does', async () => {
    const { rootPath, access, root } = testRoot;
    writeFileSync(join(rootPath, 'etc/file'), '12345', { mode: 0o4755 });
    execFileSync('chmod', ['4755', join(rootPath, 'etc/file')]);
    utimesSync(join(rootPath, 'etc/file'), 1, 1.5);
    symlinkSync('../etc/./file', join(rootPath, 'etc/link'));
    symlinkSync('/nowhere/../gone/x', join(rootPath, 'dangling'));
    expect(await access.stat(root, 'etc/file')).toEqual({
      name: 'file',
      size: 5,
      mode: 0o755 + 0x00800000,
      mtime: '1970-01-01T00:00:01.5Z',
      linkTarget: '',
    });
    expect(await access.stat(root, '/etc/link')).toMatchObject({
      name: 'link',
      linkTarget: '/etc/file',
      mode: 0x08000000 + 0o777,
    });
    expect((await access.stat(root, '/dangling')).linkTarget).toBe('/gone/x');
    expect(await access.stat(root, '/')).toMatchObject({ name: '/', mode: 0x80000000 + 0o755 });
    await expect(access.stat(root, '/none/x')).rejects.toMatchObject({
      kind: 'NotFound',
      message: '/none/x',
    });
    await expect(access.stat(root, '/etc/file/')).rejects.toMatchObject({ kind: 'NotFound' });
  });

  test('an archive is named by what was asked for', async () => {
    const { rootPath, access, root, list } = testRoot;
    mkdirSync(join(rootPath, 'dir/sub'), { recursive: true });
    writeFileSync(join(rootPath, 'dir/file'), 'x');
    linkSync(join(rootPath, 'dir/file'), join(rootPath, 'dir/same'));
    symlinkSync('file', join(rootPath, 'dir/link'));
    symlinkSync('dir', join(rootPath, 'to-dir'));
    const entries = (top: string): string[] => [
      `drwxr-xr-x ${top}/`,
      `-rw-r--r-- ${top}/file`,
      `lrwxrwxrwx ${top}/link -> file`,
      `hrw-r--r-- ${top}/same link to ${top}/file`,
      `drwxr-xr-x ${top}/sub/`,
    ];
    expect(await list('/dir')).toEqual(entries('dir'));
    expect(await list('/dir/')).toEqual(entries('dir'));
    expect(await list('/dir/.')).toEqual(entries('.'));
    expect(await list('/to-dir')).toEqual(['lrwxrwxrwx to-dir -> dir']);
    expect(await list('/to-dir/')).toEqual(entries('to-dir'));
    expect((await list('/')).slice(0, 2)).toEqual(['drwxr-xr-x /', 'drwxr-xr-x /dir/']);
    for (const path of ['/.', '.', './'])
      expect((await list(path)).slice(0, 2)).toEqual(['drwxr-xr-x ./', 'drwxr-xr-x ./dir/']);
    expect((await access.stat(root, '/.')).name).toBe('.');
    await expect(access.readArchive(root, '/none', never)).rejects.toMatchObject({ kind: 'NotFound' });
  });

  test('long, odd and undecodable names, large ids and content survive', async () => {
    const { directory, rootPath, access, root } = testRoot;
    const name = Buffer.concat([Buffer.from(`${rootPath}/etc/${'n'.repeat(200)} ä`), Buffer.from([0xff])]);
    writeFileSync(name, 'content'.repeat(1000));
    execFileSync('chown', ['3000000:4000000', '-R', join(rootPath, 'etc')]);
    const { tar } = await access.readArchive(root, '/etc', never);
    const copy = join(directory, 'copy');
    mkdirSync(copy);
    execFileSync('tar', ['-xpf', '-', '-C', copy], { input: await buffer(tar) });
    const [only] = readdirSync(join(copy, 'etc'), { encoding: 'buffer' });
    expect(only?.equals(name.subarray(name.length - only.length))).toBe(true);
    const path = Buffer.concat([Buffer.from(`${copy}/etc/`), only ?? Buffer.alloc(0)]);
    expect(readFileSync(path, 'utf8')).toBe('content'.repeat(1000));
    expect([statSync(path).uid, statSync(path).gid]).toEqual([3_000_000, 4_000_000]);
  });

  test('a file that shrinks under the copy fails it, and one that grows does not', async () => {
    const { rootPath, access, root } = testRoot;
    const path = join(rootPath, 'etc/file');
    writeFileSync(path, Buffer.alloc(4 << 20));
    const shrinking = (await access.readArchive(root, '/etc/file', never)).tar;
    await once(shrinking, 'readable');
    writeFileSync(path, 'short');
    await expect(buffer(shrinking)).rejects.toThrow('shrank');
    writeFileSync(path, Buffer.alloc(4 << 20));
    const growing = (await access.readArchive(root, '/etc/file', never)).tar;
    await once(growing, 'readable');
    execFileSync('truncate', ['-s', '+1M', path]);
    expect((await buffer(growing)).length).toBe((4 << 20) + 512 + 1024);
  });
});
