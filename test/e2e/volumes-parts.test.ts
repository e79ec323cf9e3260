import { describe, expect, test } from 'vitest';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';
import { ask, useJob } from '../support/e2e-job.ts';

// Parts of volumes, and images, as mounts.

const job = useJob();
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);

describe('parts of a volume', () => {
  const part = (subpath: string): string => `type=volume,source=parts,target=/part,volume-subpath=${subpath}`;

  test('are looked up at each start, inside the volume only', async () => {
    await run(
      '-v',
      'parts:/all',
      'busybox',
      'sh',
      '-c',
      'mkdir -p /all/one/two; echo 1 > /all/one/two/file; ln -s / /all/root; ln -s one/two /all/link',
    );
    for (const subpath of ['one/two', 'link'])
      expect(await run('--mount', part(subpath), 'busybox', 'cat', '/part/file')).toBe('1');
    expect(await run('--mount', part('one/two/file'), 'busybox', 'cat', '/part')).toBe('1');
    // The link leads to the root of the volume, not to the machine's.
    expect(await run('--mount', part('root'), 'busybox', 'ls', '/part')).toBe('link\none\nroot');
    const id = await ask(job.berth, 'create', '--mount', part('later'), 'busybox', 'cat', '/part/file');
    const missing = await job.berth.docker(['start', id]);
    expect(missing.stderr).toContain('cannot access path later: no such file or directory');
    await run('-v', 'parts:/all', 'busybox', 'sh', '-c', 'mkdir /all/later; echo now > /all/later/file');
    expect(await ask(job.berth, 'start', '-a', id)).toBe('now');
    await run(
      '-v',
      'parts:/all',
      'busybox',
      'sh',
      '-c',
      'mv /all/later /all/gone; mkdir /all/later; echo new > /all/later/file',
    );
    expect(await ask(job.berth, 'start', '-a', id)).toBe('new');
    await ask(job.berth, 'rm', id);
    await ask(job.berth, 'volume', 'rm', 'parts');
  });

  test('are filled with what the image has there, where they are empty directories', async () => {
    const all = ['-v', 'parts:/all', 'busybox', 'sh', '-c'];
    await run(...all, 'mkdir -p /all/bin /all/own /all/none; echo own > /all/own/file; echo 1 > /all/file');
    const at = (subpath: string, target: string): readonly string[] => [
      '--mount',
      `type=volume,source=parts,target=${target},volume-subpath=${subpath}`,
    ];
    expect(await run(...at('bin', '/bin'), 'busybox', 'ls', '/bin/busybox')).toBe('/bin/busybox');
    expect(await run(...at('own', '/etc'), 'busybox', 'ls', '/etc')).toMatch(/^file\n(?![^]*passwd)/);
    expect(await run(...at('none', '/new'), 'busybox', 'ls', '/new')).toBe('');
    expect(await run(...at('file', '/etc/passwd'), 'busybox', 'cat', '/etc/passwd')).toBe('1');
    const [flag = '', noCopy = ''] = at('none', '/etc');
    expect(await run(flag, `${noCopy},volume-nocopy`, 'busybox', 'ls', '/etc')).not.toContain('passwd');
    expect(await run(...all, 'cat /all/own/file; ls /all')).toBe('own\nbin\nfile\nnone\nown');
    await ask(job.berth, 'volume', 'rm', 'parts');
  });
});

describe('images as mounts', () => {
  const mount = (more: string): string => `type=image,source=mounted:1,target=/image${more}`;

  test('show what the image has, read-only, and leave nothing', async () => {
    const image = await buildImage({
      base: 'scratch',
      layers: [
        [{ path: 'dir/file', type: 'file', content: 'below' }],
        [
          { path: 'dir/other', type: 'file', content: 'above' },
          { path: 'out', type: 'symlink', target: '/etc' },
        ],
      ],
    });
    await job.berth.docker(['load'], { input: await dockerArchive([{ image, tags: ['mounted:1'] }]) });
    expect(await run('--mount', mount(''), 'busybox', 'cat', '/image/dir/file', '/image/dir/other')).toBe(
      'belowabove',
    );
    expect(await run('--mount', mount(',image-subpath=dir'), 'busybox', 'ls', '/image')).toBe('file\nother');
    expect(await run('--mount', mount(',image-subpath=dir/file'), 'busybox', 'cat', '/image')).toBe('below');
    for (const subpath of ['out', 'none']) {
      const { code, stderr } = await job.berth.docker([
        'run',
        '--rm',
        '--mount',
        mount(`,image-subpath=${subpath}`),
        'busybox',
        'ls',
        '/image',
      ]);
      expect(code, stderr).not.toBe(0);
      expect(stderr).toContain(`cannot access path ${subpath}`);
    }
    const { code } = await job.berth.docker([
      'run',
      '--rm',
      '--mount',
      mount(''),
      'busybox',
      'touch',
      '/image/x',
    ]);
    expect(code).toBe(1);
    const absent = await job.berth.docker([
      'create',
      '--pull',
      'never',
      '--mount',
      'type=image,source=absent:1,target=/image',
      'busybox',
    ]);
    expect(absent.stderr).toContain('No such image: absent:1');
    const user = await ask(job.berth, 'create', '--mount', mount(''), 'busybox', 'cat', '/image/dir/file');
    const inUse = await job.berth.docker(['rmi', 'mounted:1']);
    expect(inUse.stderr).toContain(
      `unable to remove repository reference "mounted:1" (must force) - container ${user.slice(0, 12)} is using its referenced image`,
    );
    await ask(job.berth, 'rmi', '-f', 'mounted:1');
    expect(await ask(job.berth, 'start', '-a', user)).toBe('below');
    await ask(job.berth, 'rm', user);
  });
});
