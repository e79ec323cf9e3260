import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';
import { ociLayout } from '../support/image-builder-archives.ts';
import { buildImage, packTar } from '../support/image-builder.ts';

// `docker save`, `docker load` and `docker import`, between berth, skopeo and umoci.

const job = useJob();
let home: string;

beforeAll(async () => {
  home = await mkdtemp('/tmp/berth-save-');
});
afterAll(async () => {
  await rm(home, { recursive: true });
});

async function save(file: string, ...names: readonly string[]): Promise<string> {
  const path = join(home, file);
  await ask(job.berth, 'save', '-o', path, ...names);
  return path;
}

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

const idOf = (name: string): Promise<string> => ask(job.berth, 'inspect', '-f', '{{.Id}}', name);

const layersOf = async (name: string): Promise<readonly string[]> =>
  JSON.parse(await ask(job.berth, 'inspect', '-f', '{{json .RootFS.Layers}}', name)) as readonly string[];

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand({ program, args, env: baseEnvironment(home) });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited ${String(code)}: ${stderr}`);
}

async function commit(script: string, name: string, image = 'busybox'): Promise<void> {
  const id = await ask(job.berth, 'run', '-d', image, 'sh', '-c', script);
  await ask(job.berth, 'wait', id);
  await ask(job.berth, 'commit', id, name);
  await ask(job.berth, 'rm', id);
}

describe('save and load', () => {
  test('several images that share layers come back with all names, and are saved as the same bytes', async () => {
    await commit('echo 1 > /one', 'team/one:v1');
    await commit('echo 2 > /two', 'team/two:v1', 'team/one:v1');
    await ask(job.berth, 'tag', 'team/two:v1', 'team/two:v2');
    const ids = [await idOf('team/one:v1'), await idOf('team/two:v1')];
    const path = await save('several.tar', 'team/one:v1', 'team/two');
    const first = await hashOf(path);
    await ask(job.berth, 'rmi', 'team/two:v1', 'team/two:v2', 'team/one:v1');
    expect((await ask(job.berth, 'load', '-i', path)).split('\n').sort()).toEqual([
      'Loaded image: team/one:v1',
      'Loaded image: team/two:v1',
      'Loaded image: team/two:v2',
    ]);
    expect([await idOf('team/one:v1'), await idOf('team/two:v2')]).toEqual(ids);
    expect(await ask(job.berth, 'run', '--rm', 'team/two:v2', 'cat', '/one', '/two')).toBe('1\n2');
    expect(await hashOf(await save('again.tar', 'team/one:v1', 'team/two'))).toBe(first);
    await ask(job.berth, 'rmi', 'team/two:v1', 'team/two:v2', 'team/one:v1');
  });

  test('an image by its id comes back without a name', async () => {
    await commit('echo 3 > /three', 'nameless:v1');
    const id = await idOf('nameless:v1');
    const path = await save('id.tar', id.slice('sha256:'.length, 20));
    await ask(job.berth, 'rmi', 'nameless:v1');
    expect(await ask(job.berth, 'load', '-i', path)).toBe(`Loaded image ID: ${id}`);
    await ask(job.berth, 'rmi', id);
  });

  test.each(['gzip', 'zstd', 'none'] as const)(
    'an OCI image with %s layers keeps its bytes all the way',
    async (compression) => {
      const image = await buildImage({ compression });
      const name = `oci-${compression}:v1`;
      await job.berth.docker(['load'], {
        input: await ociLayout([{ image, tags: [`docker.io/library/${name}`] }]),
      });
      const path = await save('oci.tar', name);
      const first = await hashOf(path);
      await ask(job.berth, 'rmi', name);
      await ask(job.berth, 'load', '-i', path);
      expect(await hashOf(await save('oci2.tar', name))).toBe(first);
      await ask(job.berth, 'rmi', name);
    },
  );

  test.each(['gzip', 'zstd', 'xz', 'bzip2'])('an archive packed with %s is loaded', async (program) => {
    await run(program, '-kf', '-1', await save('packed.tar', 'busybox'));
    const suffix = { gzip: 'gz', bzip2: 'bz2', zstd: 'zst' }[program] ?? program;
    const packed = join(home, `packed.tar.${suffix}`);
    expect(await ask(job.berth, 'load', '-i', packed)).toBe('Loaded image: busybox:latest');
    const broken = (await readFile(packed)).subarray(0, 500_000);
    const { code, stderr } = await job.berth.docker(['load'], { input: broken });
    expect(code).toBe(1);
    expect(stderr).toMatch(/invalid archive|exit status \d: /);
  });

  test('what is not there is an error before any byte', async () => {
    const { code, stderr } = await job.berth.docker(['save', 'busybox', 'nobody:v1']);
    expect(code).toBe(1);
    expect(stderr).toContain('No such image: nobody:v1');
  });
});

describe('other programs', () => {
  test('skopeo and umoci read what is saved', async () => {
    await commit('echo read > /read; rm -r /home', 'readable:v1');
    const path = await save('readable.tar', 'readable:v1');
    await run('skopeo', 'copy', `docker-archive:${path}`, `oci:${join(home, 'from-docker')}:v1`);
    await run('skopeo', 'copy', `oci-archive:${path}`, `oci:${join(home, 'from-oci')}:v1`);
    for (const layout of ['from-docker', 'from-oci']) {
      const bundle = join(home, `${layout}-bundle`);
      await run('umoci', 'unpack', '--image', `${join(home, layout)}:v1`, bundle);
      expect(await readFile(join(bundle, 'rootfs/read'), 'utf8')).toBe('read\n');
    }
    await ask(job.berth, 'rmi', 'readable:v1');
  });

  test('what skopeo and umoci write is loaded', async () => {
    const path = await save('base.tar', 'busybox');
    await run(
      'skopeo',
      'copy',
      `docker-archive:${path}`,
      `docker-archive:${join(home, 'skopeo.tar')}:skopeo:v1`,
    );
    await run(
      'skopeo',
      'copy',
      `docker-archive:${path}`,
      `oci-archive:${join(home, 'oci.tar')}:docker.io/library/skopeo:v2`,
    );
    await run('skopeo', 'copy', `docker-archive:${path}`, `oci:${join(home, 'layout')}:v1`);
    await run(
      'umoci',
      'config',
      '--image',
      `${join(home, 'layout')}:v1`,
      '--config.env',
      'BY=umoci',
      '--tag',
      'v2',
    );
    await run('tar', '-C', join(home, 'layout'), '-cf', join(home, 'umoci.tar'), '.');
    expect(await ask(job.berth, 'load', '-i', join(home, 'skopeo.tar'))).toBe('Loaded image: skopeo:v1');
    expect(await ask(job.berth, 'load', '-i', join(home, 'oci.tar'))).toBe('Loaded image: skopeo:v2');
    expect(await ask(job.berth, 'run', '--rm', 'skopeo:v1', 'echo', 'runs')).toBe('runs');
    expect(await ask(job.berth, 'load', '-i', join(home, 'umoci.tar'))).toMatch(/^Loaded image ID: sha256:/);
    await ask(job.berth, 'rmi', 'skopeo:v1', 'skopeo:v2');
  });
});

describe('import', () => {
  test('makes an image of a tar, with the changes asked for', async () => {
    const input = await packTar([{ path: 'etc/imported', type: 'file', content: 'yes' }]);
    const { code, stdout } = await job.berth.docker(
      ['import', '-m', 'from a test', '-c', 'CMD ["/bin/sh"]', '-c', 'ENV A=b', '-', 'imported:v1'],
      { input },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    const [image] = JSON.parse(await ask(job.berth, 'inspect', 'imported:v1')) as readonly object[];
    expect(image).toMatchObject({
      Id: stdout.trim(),
      Comment: 'from a test',
      Config: { Cmd: ['/bin/sh'], Env: ['A=b'] },
    });
    await ask(job.berth, 'rmi', 'imported:v1');
  });

  test('of what a container exports has the same files', async () => {
    const id = await ask(job.berth, 'run', '-d', 'busybox', 'sh', '-c', 'echo out > /exported');
    await ask(job.berth, 'wait', id);
    const path = join(home, 'exported.tar');
    await ask(job.berth, 'export', '-o', path, id);
    await ask(job.berth, 'rm', id);
    await ask(job.berth, 'import', path, 'back:v1');
    expect(await ask(job.berth, 'run', '--rm', 'back:v1', 'cat', '/exported')).toBe('out');
    await ask(job.berth, 'rmi', 'back:v1');
  });

  test('of a compressed tar is unpacked, of what is none is an error', async () => {
    const path = join(home, 'plain.tar');
    await writeFile(path, await packTar([{ path: 'file', type: 'file', content: 'x' }]));
    await ask(job.berth, 'import', path, 'plain:v1');
    const [layer] = await layersOf('plain:v1');
    for (const [program, suffix] of [
      ['gzip', 'gz'],
      ['xz', 'xz'],
      ['bzip2', 'bz2'],
      ['zstd', 'zst'],
    ] as const) {
      await run(program, '-k', path);
      await ask(job.berth, 'import', `${path}.${suffix}`, 'packed:v1');
      expect(await layersOf('packed:v1')).toEqual([layer]);
    }
    await ask(job.berth, 'rmi', 'packed:v1', 'plain:v1');
    const remote = await job.berth.docker(['import', 'http://169.254.169.254/x.tar', 'none:v1']);
    expect(remote.code).toBe(1);
    expect(remote.stderr).toContain('fetch it in the job and pipe it to docker import -');
  });

  const words = (why: string): string =>
    `Error response from daemon: Error processing tar file(exit status 1): ${why}\n`;

  test.each([
    ['of garbage', Buffer.alloc(3000, 'garbage '), words('archive/tar: invalid tar header')],
    ['of compressed garbage', gzipSync(Buffer.alloc(3000, 'x')), words('archive/tar: invalid tar header')],
    ['of a word', Buffer.from('not a tar at all'), words('unexpected EOF')],
  ])('%s says what dockerd says, and nothing of the host', async (_what, input, stderr) => {
    expect(await job.berth.docker(['import', '-', 'none:v1'], { input })).toMatchObject({ code: 1, stderr });
  });
});
