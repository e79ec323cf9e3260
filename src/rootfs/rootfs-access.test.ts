import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createTestRoot, never, type TestEntry, type TestRoot } from './test-root.ts';

describe('attacks on the host through container files', () => {
  let testRoot: TestRoot;
  beforeEach(async () => {
    testRoot = await createTestRoot();
  });
  afterEach(() => testRoot.dispose());

  const hostIsUntouched = (): void => {
    const { outside } = testRoot;
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('of the host');
    expect(statSync(join(outside, 'secret')).nlink).toBe(1);
  };

  test.each(['../x', 'a/../../x', '../../../../../../tmp/x', '..'])(
    'the name %j is refused',
    async (name) => {
      const { rootPath, put } = testRoot;
      await expect(put([{ name }], '/etc')).rejects.toMatchObject({ kind: 'InvalidArgument' });
      expect(readdirSync(rootPath)).toEqual(['etc']);
    },
  );

  test('an absolute name begins at the target', async () => {
    const { rootPath, outside, put } = testRoot;
    await put([{ name: `${outside}/planted`, content: 'x' }], '/etc');
    expect(existsSync(join(rootPath, 'etc', outside, 'planted'))).toBe(true);
    hostIsUntouched();
  });

  test('a link in the archive does not carry a later entry out', async () => {
    const { rootPath, outside, put } = testRoot;
    const entries: TestEntry[] = [
      { name: 'out', type: 'symlink', linkname: outside },
      { name: 'out/planted', content: 'x' },
    ];
    // Inside the root the link leads nowhere, or to a directory of the container's own.
    await expect(put(entries)).rejects.toBeDefined();
    mkdirSync(join(rootPath, outside), { recursive: true });
    await put(entries);
    expect(existsSync(join(rootPath, outside, 'planted'))).toBe(true);
    hostIsUntouched();
  });

  test('a planted link is replaced, not written through', async () => {
    const { rootPath, outside, put } = testRoot;
    symlinkSync(join(outside, 'secret'), join(rootPath, 'file'));
    symlinkSync(outside, join(rootPath, 'dir'));
    await put([
      { name: 'file', content: 'x' },
      { name: 'dir/', type: 'directory', mode: 0o700 },
    ]);
    expect(lstatSync(join(rootPath, 'file')).isFile()).toBe(true);
    expect(lstatSync(join(rootPath, 'dir')).isDirectory()).toBe(true);
    hostIsUntouched();
  });

  test.each(['/../../../secret', '../../outside/secret', 'out/secret', 'loop/x'])(
    'the hard link target %j stays inside',
    async (linkname) => {
      const { rootPath, outside, put } = testRoot;
      symlinkSync(outside, join(rootPath, 'out'));
      symlinkSync('loop', join(rootPath, 'loop'));
      await expect(put([{ name: 'hard', type: 'link', linkname }])).rejects.toBeDefined();
      expect(existsSync(join(rootPath, 'hard'))).toBe(false);
      hostIsUntouched();
    },
  );

  test('an archive of a planted link shows the container’s view', async () => {
    const { rootPath, outside, access, root } = testRoot;
    symlinkSync(outside, join(rootPath, 'out'));
    await expect(access.readArchive(root, '/out/', never)).rejects.toMatchObject({ kind: 'NotFound' });
    await expect(access.stat(root, '/out/secret')).rejects.toMatchObject({ kind: 'NotFound' });
  });

  test(
    'directories swapped for links while copying never let anything out or in',
    { timeout: 60_000 },
    async () => {
      const { directory, rootPath, outside, access, root, cleanups, put } = testRoot;
      const [a, b] = [join(rootPath, 'swap'), join(rootPath, 'swap.other')];
      mkdirSync(join(rootPath, 'swap/d'), { recursive: true });
      writeFileSync(join(rootPath, 'swap/d/secret'), 'inside');
      symlinkSync(directory, b);
      renameSync(outside, join(directory, 'd'));
      const swapper = spawn(
        process.execPath,
        [
          '-e',
          `const fs=require('fs');const [a,b,t]=process.argv.slice(1);console.log('on');for(;;){try{fs.renameSync(a,t);fs.renameSync(b,a);fs.renameSync(t,b)}catch{}}`,
          a,
          b,
          `${a}.tmp`,
        ],
        { stdio: ['ignore', 'pipe', 'ignore'] },
      );
      cleanups.push(() => swapper.kill('SIGKILL'));
      await once(swapper.stdout, 'data');
      let wins = 0;
      for (let round = 0; round < 60; round += 1) {
        const name = `swap/d/planted-${round % 5}`;
        await put([
          { name, content: 'x' },
          { name: 'swap/d/secret', content: 'inside' },
        ]).then(
          () => (wins += 1),
          () => undefined,
        );
        const file = await access.readFile(root, '/swap/d/secret', 100).catch(() => undefined);
        expect(file?.toString() ?? 'inside').toMatch(/^(inside)?$/);
        const tar = await access
          .readArchive(root, '/swap/d', never)
          .then(({ tar }) => buffer(tar))
          .catch(() => Buffer.alloc(0));
        expect(tar.includes('of the host')).toBe(false);
      }
      swapper.kill('SIGKILL');
      await once(swapper, 'close');
      expect(wins).toBeGreaterThan(0);
      expect(readdirSync(join(directory, 'd'))).toEqual(['secret']);
      expect(readFileSync(join(directory, 'd/secret'), 'utf8')).toBe('of the host');
    },
  );
});

describe('files of a running process', () => {
  let testRoot: TestRoot;
  beforeEach(async () => {
    testRoot = await createTestRoot();
  });
  afterEach(() => testRoot.dispose());

  const startIn = async (): Promise<number> => {
    const { rootPath, cleanups } = testRoot;
    const script = `mount -t tmpfs none "$0/mnt" && echo mounted >"$0/mnt/file" && mount -t proc proc "$0/proc" && echo up && exec chroot "$0" /bin/busybox sleep 60`;
    for (const name of ['mnt', 'proc', 'bin']) mkdirSync(join(rootPath, name));
    execFileSync('cp', [
      execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim(),
      join(rootPath, 'bin/busybox'),
    ]);
    const child = spawn('unshare', ['-m', 'sh', '-c', script, rootPath], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanups.push(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    await expect.poll(() => readlinkSync(`/proc/${child.pid}/root`)).toBe(rootPath);
    return child.pid ?? 0;
  };

  test.each([true, false])(
    'its own view is seen, with its mounts, and no magic link leads out of it: %s',
    async (isConfined) => {
      const { access, root, list } = testRoot;
      const pid = await startIn();
      const running = await access.openProcess(pid, { isConfined });
      expect(running.mayHang).toBe(!isConfined);
      expect((await access.readFile(running, '/mnt/file', 100))?.toString()).toBe('mounted\n');
      expect(await access.readFile(root, '/mnt/file', 100)).toBeUndefined();
      for (const path of [`/proc/${process.pid}/root/etc/passwd`, `/proc/${process.pid}/cwd/package.json`]) {
        await expect(access.readFile(running, path, 1000)).rejects.toMatchObject({ kind: 'InvalidArgument' });
        await expect(access.readArchive(running, path, never)).rejects.toBeDefined();
      }
      expect(await list('/mnt', running)).toEqual(['drwxrwxrwt mnt/', '-rw-r--r-- mnt/file']);
      await running.close();
    },
  );

  test('a process outside of any container is refused, and one that has ended is not found', async () => {
    const { access } = testRoot;
    await expect(access.openProcess(process.pid, { isConfined: true })).rejects.toMatchObject({
      kind: 'Conflict',
    });
    const child = spawn('true');
    await once(child, 'close');
    await expect(access.openProcess(child.pid ?? 0, { isConfined: true })).rejects.toMatchObject({
      kind: 'NotFound',
    });
  });
});
