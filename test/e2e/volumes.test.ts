import { describe, expect, test } from 'vitest';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage, packTar } from '../support/image-builder.ts';
import { ask, useJob } from '../support/e2e-job.ts';

// Volumes of the job: they outlive containers, start as the image has it, and go with the job.

const job = useJob();
const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);

describe('named volumes', () => {
  test('keep their files from one container to the next', async () => {
    await run('-v', 'kept:/data', 'busybox', 'sh', '-c', 'echo content > /data/file');
    expect(await run('-v', 'kept:/elsewhere', 'busybox', 'cat', '/elsewhere/file')).toBe('content');
    expect(await ask(job.berth, 'volume', 'ls', '-q')).toContain('kept');
    await ask(job.berth, 'volume', 'rm', 'kept');
  });

  test('are read-only when asked, in any order of the words', async () => {
    for (const mode of ['ro', 'nocopy,ro', 'ro,z']) {
      const { code } = await job.berth.docker([
        'run',
        '--rm',
        '-v',
        `locked:/data:${mode}`,
        'busybox',
        'touch',
        '/data/x',
      ]);
      expect({ mode, code }).toEqual({ mode, code: 1 });
    }
    await ask(job.berth, 'volume', 'rm', 'locked');
  });

  test('cannot be removed while a container has them', async () => {
    const id = await ask(job.berth, 'create', '--mount', 'type=volume,source=used,target=/data', 'busybox');
    const { code, stderr } = await job.berth.docker(['volume', 'rm', 'used']);
    expect(code).toBe(1);
    expect(stderr).toContain(`volume is in use - [${id}]`);
    await ask(job.berth, 'rm', id);
    await ask(job.berth, 'volume', 'rm', 'used');
  });
});

describe("volumes of an image's own", () => {
  test('start with what the image has, owner and mode included, and go with --rm', async () => {
    const image = await buildImage({
      volumes: ['/srv/data'],
      layers: [
        [
          { path: 'srv/data', type: 'directory', mode: 0o750, uid: 70, gid: 71 },
          { path: 'srv/data/file', type: 'file', content: 'from the image', mode: 0o640, uid: 70, gid: 71 },
          { path: 'srv/data/link', type: 'symlink', target: '/etc/passwd' },
        ],
      ],
    });
    await job.berth.docker(['load'], { input: await dockerArchive([{ image, tags: ['with-volume:1'] }]) });
    const script =
      'cat /srv/data/file; echo; stat -c "%a %u %g" /srv/data /srv/data/file; readlink /srv/data/link; mount | grep -c "/srv/data "';
    expect(await run('with-volume:1', 'sh', '-c', script)).toBe(
      'from the image\n750 70 71\n640 70 71\n/etc/passwd\n1',
    );
    expect(await ask(job.berth, 'volume', 'ls', '-q')).toBe('');
  });

  test('stay with docker rm, and go with docker rm -v', async () => {
    const first = await ask(job.berth, 'create', '-v', '/anonymous', 'busybox');
    await ask(job.berth, 'rm', first);
    const [left = ''] = (await ask(job.berth, 'volume', 'ls', '-q')).split('\n');
    expect(left).toMatch(/^[0-9a-f]{64}$/);
    const second = await ask(job.berth, 'create', '-v', '/anonymous', 'busybox');
    await ask(job.berth, 'rm', '-v', second);
    expect(await ask(job.berth, 'volume', 'ls', '-q')).toBe(left);
    await ask(job.berth, 'volume', 'prune', '-f');
    expect(await ask(job.berth, 'volume', 'ls', '-q')).toBe('');
  });
});

describe('tmpfs', () => {
  test.each([
    ['--tmpfs', '/scratch:size=1m,mode=1770'],
    ['--mount', 'type=tmpfs,target=/scratch,tmpfs-size=1048576,tmpfs-mode=1770'],
  ])('%s %s', async (flag, value) => {
    const script = "stat -c %a /scratch; df -k /scratch | tail -1 | awk '{print $2}'";
    expect(await run(flag, value, 'busybox', 'sh', '-c', script)).toBe('1770\n1024');
  });
});

test('docker cp reaches a volume of a stopped container', async () => {
  const { berth } = job;
  const id = await ask(berth, 'create', '-v', 'copied:/data', 'busybox', 'cat', '/data/in');
  const { code } = await berth.docker(['cp', '-', `${id}:/data`], {
    input: await packTar([{ path: 'in', type: 'file', content: 'by cp' }]),
  });
  expect(code).toBe(0);
  expect(await ask(berth, 'start', '-a', id)).toBe('by cp');
  await ask(berth, 'rm', id);
});
