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
      const args = ['-v', `locked:/data:${mode}`, 'busybox', 'touch', '/data/x'];
      const { code } = await job.berth.docker(['run', '--rm', ...args]);
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
  await ask(berth, 'volume', 'rm', 'copied');
});

describe('volumes of other containers', () => {
  const volumes = (): Promise<string> => ask(job.berth, 'volume', 'ls', '-q');

  test('come with what they are, and never more writable', async () => {
    const before = await volumes();
    await ask(job.berth, 'create', '--name', 'source', '-v', 'shared:/named', '-v', '/anonymous', 'busybox');
    await ask(job.berth, 'create', '--name', 'locked', '-v', 'shared:/named:ro', 'busybox');
    const script = 'echo first > /named/file; echo second > /anonymous/file';
    await run('--volumes-from', 'source', 'busybox', 'sh', '-c', script);
    expect(await run('--volumes-from', 'source:ro', 'busybox', 'cat', '/named/file', '/anonymous/file')).toBe(
      'first\nsecond',
    );
    for (const source of ['source:ro', 'source:ro,z', 'locked', 'locked:rw']) {
      const args = ['run', '--rm', '--volumes-from', source, 'busybox', 'touch', '/named/x'];
      const { code, stderr } = await job.berth.docker(args);
      expect({ source, code }, stderr).toEqual({ source, code: 1 });
    }
    const foreign = await job.berth.docker([
      'create',
      '--pull',
      'never',
      '--volumes-from',
      'nobody',
      'busybox',
    ]);
    expect(foreign.stderr).toContain('No such container: nobody');
    await ask(job.berth, 'rm', '-v', 'source', 'locked');
    await ask(job.berth, 'volume', 'rm', 'shared');
    expect(await volumes()).toBe(before);
  });

  test('stay with the container, whatever becomes of the other one', async () => {
    const before = await volumes();
    await ask(
      job.berth,
      'create',
      '--name',
      'origin',
      '-v',
      '/data',
      '-v',
      '/var/run/docker.sock:/sock',
      'busybox',
    );
    await ask(
      job.berth,
      'create',
      '--name',
      'heir',
      '--volumes-from',
      'origin',
      'busybox',
      'sh',
      '-c',
      'test -S /sock && echo kept > /data/file && cat /data/file',
    );
    await ask(job.berth, 'rename', 'origin', 'another');
    expect(await ask(job.berth, 'start', '-a', 'heir')).toBe('kept');
    await ask(job.berth, 'rm', '-v', 'another');
    expect(await ask(job.berth, 'start', '-a', 'heir')).toBe('kept');
    await ask(job.berth, 'rm', '-v', 'heir');
    expect(await volumes()).toBe(before);
  });

  test("give way to the container's own mounts, and the image's volumes to them", async () => {
    await ask(
      job.berth,
      'create',
      '--name',
      'base',
      '-v',
      '/a',
      '-v',
      '/b',
      '--mount',
      'type=tmpfs,target=/t,tmpfs-size=1m',
      'busybox',
    );
    const id = await ask(
      job.berth,
      'create',
      '--volumes-from',
      'base',
      '-v',
      'own:/a',
      '-v',
      '/b',
      'busybox',
      'sh',
      '-c',
      "df -k /t | tail -1 | awk '{print $2}'",
    );
    const of = async (name: string): Promise<string> =>
      ask(job.berth, 'inspect', '-f', '{{range .Mounts}}{{.Destination}}={{.Name}};{{end}}', name);
    const base = new Map((await of('base')).split(';').map((one) => one.split('=') as [string, string]));
    const mounts = new Map((await of(id)).split(';').map((one) => one.split('=') as [string, string]));
    expect([mounts.get('/a'), mounts.get('/b'), mounts.get('/t')]).toEqual(['own', base.get('/b'), '']);
    expect(await ask(job.berth, 'start', '-a', id)).toBe('1024');
    await ask(job.berth, 'rm', '-v', id, 'base');
    await ask(job.berth, 'volume', 'rm', 'own');
  });
});

test('files deeper than any path can say go with their volume, and with the job', async () => {
  const path = `${'d'.repeat(200)}/`.repeat(15);
  const script = `cd /data && mkdir top && echo here > top/file || exit 1
for i in 1 2 3; do mkdir -p next/${path} && mv top next/${path}top && mv next top || exit 1; done`;
  for (const name of ['removed', 'deep-left'])
    await run('-v', `${name}:/data`, 'busybox', 'sh', '-c', script);
  await ask(job.berth, 'volume', 'rm', 'removed');
  const names = (await ask(job.berth, 'volume', 'ls', '-q')).split('\n');
  expect(names).toContain('deep-left');
  expect(names).not.toContain('removed');
});
