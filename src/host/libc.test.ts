import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { isErrno } from './errors.ts';
import { loadLibc } from './libc.ts';
import type { Libc, OpenHow } from './types.ts';

const inRoot: OpenHow = { flags: constants.O_RDONLY, resolve: ['IN_ROOT', 'NO_MAGICLINKS'] };

describe('libc', () => {
  let directory = '';
  let libc: Libc;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'berth-libc-'));
    libc = await loadLibc();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const codeOf = (call: () => unknown): unknown => {
    try {
      return call();
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };

  test('mkfifo makes a FIFO, and its failure carries the errno name', () => {
    const path = join(directory, 'fifo');
    libc.mkfifo(path, 0o600);
    expect(statSync(path).isFIFO()).toBe(true);
    expect(codeOf(() => libc.mkfifo(path, 0o600))).toBe('EEXIST');
  });

  test('mknod packs large and small device numbers as the kernel does', async () => {
    for (const [major, minor] of [
      [1, 3],
      [259, 70_000],
    ] as const) {
      const path = join(directory, `node-${major}`);
      await libc.mknod({ path, mode: constants.S_IFCHR | 0o600, major, minor });
      const { rdev } = statSync(path);
      expect([(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)]).toEqual([major, minor]);
    }
  });

  test('flock tells a second holder no, without waiting', () => {
    const path = join(directory, 'lock');
    writeFileSync(path, '');
    const [first, second] = [openSync(path, 'r'), openSync(path, 'r')];
    expect(libc.flock(first, 'exclusive')).toBe(true);
    expect(libc.flock(second, 'exclusive')).toBe(false);
    expect(libc.flock(first, 'unlock')).toBe(true);
    expect(libc.flock(second, 'shared')).toBe(true);
    closeSync(first);
    closeSync(second);
  });

  test('openat2 keeps absolute links and .. inside the root, on both threads', async () => {
    const root = join(directory, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/name'), 'inside');
    symlinkSync('/etc/name', join(root, 'absolute'));
    symlinkSync('../../../../../etc/name', join(root, 'relative'));
    const rootFd = openSync(root, constants.O_DIRECTORY);
    for (const path of ['absolute', 'relative', '/../../etc/name']) {
      for (const fd of [libc.openat2(rootFd, path, inRoot), await libc.openat2Async(rootFd, path, inRoot)]) {
        expect(readFileSync(fd, 'utf8')).toBe('inside');
        closeSync(fd);
      }
    }
    closeSync(rootFd);
  });

  test('openat2 refuses magic links and reports each error of many at once truly', async () => {
    const proc = openSync('/proc', constants.O_DIRECTORY);
    expect(codeOf(() => libc.openat2(proc, `${process.pid}/root/etc`, inRoot))).toBe('ELOOP');
    const asked = Array.from(
      { length: 60 },
      (_, index) => ['absent', 'version/x', `${process.pid}/root/x`][index % 3] ?? '',
    );
    const codes = await Promise.all(
      asked.map((path) =>
        libc.openat2Async(proc, path, inRoot).then(
          () => 'opened',
          (error: unknown) =>
            codeOf(() => {
              throw error;
            }),
        ),
      ),
    );
    expect(codes).toEqual(asked.map((_, index) => ['ENOENT', 'ENOTDIR', 'ELOOP'][index % 3]));
    closeSync(proc);
  });

  test('setPipeSize grows a FIFO, and refuses a descriptor that is none', () => {
    const path = join(directory, 'pipe');
    libc.mkfifo(path, 0o600);
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    expect(libc.setPipeSize(fd, 1 << 20)).toBe(1 << 20);
    closeSync(fd);
    const file = openSync('/dev/null', 'r');
    expect(() => libc.setPipeSize(file, 1 << 20)).toThrow(
      expect.toSatisfy((error) => isErrno(error, 'EBADF')),
    );
    closeSync(file);
  });

  test('a mount taken by openTree outlives its unmount and can be attached elsewhere', () => {
    const [source, target] = [join(directory, 'source'), join(directory, 'target')];
    mkdirSync(source);
    mkdirSync(target);
    libc.mount({ source: 'berth-test', target: source, type: 'tmpfs', flags: 0, data: 'size=64k' });
    writeFileSync(join(source, 'file'), 'in tmpfs');
    const tree = libc.openTree(source, { recursive: false });
    libc.unmount(source, { lazy: true });
    expect(readFileSync(`/proc/self/fd/${tree}/file`, 'utf8')).toBe('in tmpfs');
    libc.moveMount(tree, target);
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('in tmpfs');
    closeSync(tree);
    libc.unmount(target, { lazy: false });
    expect(codeOf(() => libc.unmount(target, { lazy: false }))).toBe('EINVAL');
  });
});
