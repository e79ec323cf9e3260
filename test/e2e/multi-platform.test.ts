import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { baseEnvironment, runCommand } from '../support/e2e-process.ts';
import { ociLayoutOfPlatforms } from '../support/image-builder-archives.ts';
import { buildImage, hostArchitecture, type BuiltImage } from '../support/image-builder.ts';
import { startRegistry, type Registry } from '../support/registry.ts';

// One name for images of several platforms: what is loaded is kept whole, and goes out as it came.

const other = hostArchitecture() === 'arm64' ? 'amd64' : 'arm64';
const job = useJob();
let home: string;
let registry: Registry;
let images: readonly BuiltImage[];

beforeAll(async () => {
  home = await mkdtemp('/tmp/berth-multi-');
  registry = await startRegistry();
  images = [
    await buildImage({ architecture: other, layers: [[{ type: 'file', path: 'arch', content: other }]] }),
    await buildImage({ labels: { of: 'host' } }),
  ];
  const input = await ociLayoutOfPlatforms(images, 'docker.io/library/multi:v1');
  const { stdout } = await job.berth.docker(['load'], { input });
  expect(stdout).toBe('Loaded image: multi:v1\n');
});
afterAll(async () => {
  await registry.stop();
  await rm(home, { recursive: true });
});

interface LayoutIndex {
  readonly manifests: readonly { readonly mediaType: string; readonly digest: string }[];
}

/** Saves, and answers the archive and what its index.json lists first. */
async function save(
  file: string,
  ...args: readonly string[]
): Promise<{
  readonly path: string;
  readonly bytes: Buffer;
  readonly top: LayoutIndex['manifests'][number];
}> {
  const path = join(home, file);
  await ask(job.berth, 'save', '-o', path, ...args);
  const { stdout } = await runCommand({
    program: 'tar',
    args: ['-xOf', path, 'index.json'],
    env: baseEnvironment(home),
  });
  const [top] = (JSON.parse(stdout) as LayoutIndex).manifests;
  if (!top) throw new Error('the layout is empty');
  return { path, bytes: await readFile(path), top };
}

const idOf = (image: BuiltImage | undefined): string => image?.config.digest ?? '';

interface Manifests {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string };
  readonly Manifests: readonly {
    readonly ID: string;
    readonly Available: boolean;
    readonly Kind: string;
    readonly ImageData: { readonly Platform: { readonly architecture: string } };
  }[];
}

async function get<T>(path: string): Promise<T> {
  const { status, body } = await createApiClient(job.berth.ready.socket).get(path);
  expect(status).toBe(200);
  return body as T;
}

describe('an index that was loaded', () => {
  test('is saved with all it lists, and comes back as the same bytes', async () => {
    const first = await save('first.tar', 'multi:v1');
    expect(first.top.mediaType).toBe('application/vnd.oci.image.index.v1+json');
    await ask(job.berth, 'rmi', 'multi:v1');
    await ask(job.berth, 'load', '-i', first.path);
    const second = await save('second.tar', 'multi:v1');
    expect(second.bytes.equals(first.bytes)).toBe(true);
    await ask(job.berth, 'tag', 'multi:v1', 'multi:v2');
    expect((await save('third.tar', 'multi:v2')).top.digest).toBe(first.top.digest);
    await ask(job.berth, 'rmi', 'multi:v2');
  });

  test('runs as the host’s image, and can be looked at as the other', async () => {
    expect(await ask(job.berth, 'run', '--rm', 'multi:v1', 'echo', 'here')).toBe('here');
    const inspect = (...more: readonly string[]): Promise<string> =>
      ask(job.berth, 'image', 'inspect', '-f', '{{.Id}} {{.Architecture}}', ...more, 'multi:v1');
    expect(await inspect()).toBe(`${idOf(images[1])} ${hostArchitecture()}`);
    expect(await inspect('--platform', `linux/${other}`)).toBe(`${idOf(images[0])} ${other}`);
    const steps = await ask(
      job.berth,
      'history',
      '-q',
      '--no-trunc',
      '--platform',
      `linux/${other}`,
      'multi:v1',
    );
    expect(steps.split('\n')[0]).toBe(idOf(images[0]));
    const wrong = await job.berth.docker(['image', 'inspect', '--platform', 'linux/s390x', 'multi:v1']);
    expect(wrong.stderr).toContain('does not match the specified platform: wanted linux/s390x');
  });

  test('tells of all its manifests where they are asked for, and older clients nothing of them', async () => {
    const [summary] = await get<readonly Manifests[]>(
      `/v1.47/images/json?manifests=1&filters=${encodeURIComponent('{"reference":["multi"]}')}`,
    );
    const inspected = await get<Manifests>('/v1.48/images/multi:v1/json?manifests=1');
    expect(inspected.Descriptor.mediaType).toContain('index');
    for (const { Manifests } of [summary ?? inspected, inspected])
      expect(
        Manifests.map(({ Available, Kind, ImageData }) => [Kind, Available, ImageData.Platform.architecture]),
      ).toEqual([
        ['image', true, other],
        ['image', true, hostArchitecture()],
      ]);
    const old = await get<object>('/v1.46/images/multi:v1/json?manifests=1');
    expect(Object.keys(old)).not.toContain('Manifests');
    expect(Object.keys(old)).not.toContain('Descriptor');
  });

  test('can be saved and loaded for one platform', async () => {
    const one = await save('one.tar', '--platform', `linux/${other}`, 'multi:v1');
    expect(one.top.mediaType).toBe('application/vnd.oci.image.manifest.v1+json');
    const all = await save('all.tar', 'multi:v1');
    await ask(job.berth, 'tag', 'multi:v1', 'kept:v1');
    await ask(job.berth, 'load', '--platform', `linux/${other}`, '-i', all.path);
    expect(await ask(job.berth, 'image', 'inspect', '-f', '{{.Id}}', 'multi:v1')).toBe(idOf(images[0]));
    const none = await job.berth.docker(['load', '--platform', 'linux/s390x', '-i', all.path]);
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining('requested platform (linux/s390x)'),
    ]);
    await ask(job.berth, 'rmi', 'multi:v1');
    await ask(job.berth, 'tag', 'kept:v1', 'multi:v1');
    expect((await save('again.tar', 'multi:v1')).top.digest).toBe(all.top.digest);
    await ask(job.berth, 'rmi', 'kept:v1');
  });

  test('is pushed with all its manifests, and each platform pulls its own', async () => {
    const name = `${registry.host}/multi:v1`;
    const { top } = await save('pushed.tar', 'multi:v1');
    await ask(job.berth, 'tag', 'multi:v1', name);
    expect(await ask(job.berth, 'push', name)).toContain(`v1: digest: ${top.digest} size: `);
    expect(await ask(job.berth, 'image', 'inspect', '-f', '{{.RepoDigests}}', name)).toContain(top.digest);
    await ask(job.berth, 'rmi', name);
    const idAt = async (platform: string): Promise<string> => {
      await ask(job.berth, 'pull', '--platform', platform, name);
      return ask(job.berth, 'image', 'inspect', '-f', '{{.Id}}', name);
    };
    expect(await idAt(`linux/${hostArchitecture()}`)).toBe(idOf(images[1]));
    // One of two: what goes out is the manifest alone.
    expect((await save('part.tar', name)).top.mediaType).toContain('manifest');
    expect(await idAt(`linux/${other}`)).toBe(idOf(images[0]));
    expect((await save('both.tar', name)).top.digest).toBe(top.digest);
    const single = `${registry.host}/single:v1`;
    await ask(job.berth, 'tag', 'multi:v1', single);
    expect(await ask(job.berth, 'push', '--platform', `linux/${other}`, single)).not.toContain(top.digest);
    await ask(job.berth, 'rmi', name, single);
  });

  test('runs and builds as the other platform, which nothing but its configuration makes another here', async () => {
    const platform = `linux/${other}`;
    const run = (...args: readonly string[]): Promise<string> => ask(job.berth, 'run', '--rm', ...args);
    expect(await run('--platform', platform, 'multi:v1', 'cat', '/arch')).toBe(other);
    const input = `FROM --platform=${platform} multi:v1\nRUN cp /arch /copy\n`;
    const built = await job.berth.docker(['build', '-t', 'built:v1', '-'], {
      input,
      env: { DOCKER_BUILDKIT: '0' },
    });
    expect(built).toMatchObject({ code: 0 });
    expect(await run('built:v1', 'cat', '/copy')).toBe(other);
    await ask(job.berth, 'rmi', 'built:v1');
  });

  test('loses single platforms by force, of newer clients', async () => {
    const remove = (
      path: string,
      architecture: string,
    ): ReturnType<ReturnType<typeof createApiClient>['delete']> => {
      const platform = encodeURIComponent(JSON.stringify({ os: 'linux', architecture }));
      return createApiClient(job.berth.ready.socket).delete(`${path}platforms=${platform}`);
    };
    await ask(job.berth, 'tag', 'multi:v1', 'multi:v2');
    expect(await remove('/v1.50/images/multi:v2?', other)).toMatchObject({
      status: 400,
      message: expect.stringContaining('Use —-force to force delete.') as string,
    });
    expect((await remove('/v1.50/images/multi:v2?force=1&', 's390x')).status).toBe(404);
    expect(await remove('/v1.49/images/multi:v2?', other)).toMatchObject({
      status: 200,
      body: [{ Untagged: 'multi:v2' }],
    });
    const { Manifests } = await get<Manifests>('/v1.48/images/multi:v1/json?manifests=1');
    const [ofOther] = Manifests;
    expect((await remove('/v1.51/images/multi:v1?force=1&', other)).body).toContainEqual({
      Deleted: ofOther?.ID,
    });
    const left = await get<Manifests>('/v1.48/images/multi:v1/json?manifests=1');
    expect(left.Manifests.map(({ Available }) => Available)).toEqual([false, true]);
    const wrong = await job.berth.docker(['image', 'inspect', '--platform', `linux/${other}`, 'multi:v1']);
    expect(wrong.code).toBe(1);
    expect(await ask(job.berth, 'run', '--rm', 'multi:v1', 'echo', 'here')).toBe('here');
  });

  test('is gone with its last name', async () => {
    await ask(job.berth, 'rmi', 'multi:v1');
    await ask(job.berth, 'image', 'prune', '-f');
    const left = await ask(job.berth, 'images', '-a', '--no-trunc', '-q');
    for (const image of images) expect(left).not.toContain(idOf(image));
  });
});
