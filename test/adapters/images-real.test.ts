import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Containerd } from '../../src/containerd/types.ts';
import { inspectImage } from '../../src/engine/images/inspect-image.ts';
import { listImages } from '../../src/engine/images/list-images.ts';
import { pullImage } from '../../src/engine/images/pull-image.ts';
import { removeImage } from '../../src/engine/images/remove-image.ts';
import { resolveImage } from '../../src/engine/images/resolve-image.ts';
import { restoreImages } from '../../src/engine/images/restore-images.ts';
import { tagImage } from '../../src/engine/images/tag-image.ts';
import type { Job } from '../../src/engine/job.ts';
import { createRandomId } from '../../src/lib/random-id.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { createRegistry } from '../../src/registry/create-registry.ts';
import { buildImage, hostArchitecture, type BuiltImage } from '../support/image-builder.ts';
import { dockerArchive, ociLayoutOfPlatforms } from '../support/image-builder-archives.ts';
import { blobsOf, loadAll, openImageJob, pullAll, storedAfterCollection } from '../support/image-job.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';
import { pushImage, pushIndex, startRegistry, type Registry } from '../support/registry.ts';

const otherArchitecture = hostArchitecture() === 'arm64' ? 'amd64' : 'arm64';
const NOTHING = { content: [], snapshots: [], writes: 0, leases: 0 };
const client = createRegistry({
  registriesDir: undefined,
  insecureRegistries: [],
  network: { kind: 'isolated' },
});
let real: RealContainerd;
let registry: Registry;

function openJob(namespace = `images-${createRandomId().slice(0, 12)}`): {
  readonly job: Job;
  readonly containerd: Containerd;
} {
  const containerd = real.connect(namespace);
  return { job: openImageJob(containerd, client), containerd };
}

beforeAll(async () => {
  real = await startRealContainerd();
  registry = await startRegistry();
});

afterAll(async () => {
  client.close();
  await registry.stop();
  await real.stop();
});

describe.each([
  ['docker', 'gzip'],
  ['oci', 'gzip'],
  ['oci', 'zstd'],
  ['oci', 'none'],
] as const)('an image with a %s manifest and %s layers', (kind, compression) => {
  const name = `single-${kind}-${compression}:v1`;
  let image: BuiltImage;
  let manifest: string;

  beforeAll(async () => {
    const layers = [[{ type: 'file' as const, path: 'greeting', content: `${kind} ${compression}` }]];
    image = await buildImage({ compression, layers });
    manifest = (await pushImage(registry, name, { image, kind })).digest;
  });

  test('is pulled, survives garbage collection whole, and leaves nothing when removed', async () => {
    const { job, containerd } = openJob();
    const lines = await pullAll(job, `${registry.host}/${name}`);
    expect(lines[0]).toEqual({ status: `Pulling from ${name.replace(':v1', '')}`, id: 'v1' });
    expect(lines.at(-2)).toEqual({ status: `Digest: ${manifest}` });
    expect(lines.at(-1)).toEqual({ status: `Status: Downloaded newer image for ${registry.host}/${name}` });
    expect(resolveImage(job, `${registry.host}/${name}`).id).toBe(image.config.digest);
    expect(await storedAfterCollection(containerd)).toMatchObject({
      content: [...blobsOf(image), manifest].sort(),
      snapshots: { length: 2 },
      writes: 0,
      leases: 0,
    });
    await removeImage(job, `${registry.host}/${name}`, { force: false });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });

  test('is up to date the second time, without fetching anything', async () => {
    const { job } = openJob();
    await pullAll(job, `${registry.host}/${name}`);
    const before = (await registry.requests()).length;
    const lines = await pullAll(job, `${registry.host}/${name}`);
    expect(lines.at(-1)?.status).toBe(`Status: Image is up to date for ${registry.host}/${name}`);
    expect((await registry.requests()).slice(before).map(({ method }) => method)).toEqual(['HEAD']);
  });
});

describe('an index with two platforms', () => {
  let images: Readonly<Record<string, BuiltImage>>;
  let index: string;

  beforeAll(async () => {
    const host = await buildImage({ layers: [[{ type: 'file', path: 'arch', content: 'host' }]] });
    const other = await buildImage({
      architecture: otherArchitecture,
      layers: [[{ type: 'file', path: 'arch', content: 'other' }]],
    });
    images = { host, other };
    index = (await pushIndex(registry, 'multi:v1', { images: [other, host], kind: 'oci' })).digest;
  });

  test('gives the host its own image, and keeps the index it was named by', async () => {
    const { job, containerd } = openJob();
    await pullAll(job, `${registry.host}/multi:v1`);
    const inspected = await inspectImage(job, `${registry.host}/multi:v1`);
    expect(inspected.Id).toBe(images['host']?.config.digest);
    expect(inspected.RepoDigests).toEqual([`${registry.host}/multi@${index}`]);
    const { content, snapshots } = await storedAfterCollection(containerd);
    expect(content).toHaveLength(5);
    expect(content).toContain(index);
    expect(snapshots).toHaveLength(2);
  });

  test('gives another platform where it is asked for', async () => {
    const { job } = openJob();
    await pullAll(job, `${registry.host}/multi:v1`, `linux/${otherArchitecture}`);
    expect((await inspectImage(job, `${registry.host}/multi:v1`)).Id).toBe(images['other']?.config.digest);
  });

  test('has nothing for a platform that it does not list', async () => {
    const { job, containerd } = openJob();
    await expect(pullAll(job, `${registry.host}/multi:v1`, 'linux/s390x')).rejects.toMatchObject({
      kind: 'NotFound',
      message: 'no matching manifest for linux/s390x in the manifest list entries',
    });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });
});

describe('names', () => {
  let image: BuiltImage;
  let containerd: Containerd;
  let job: Job;

  beforeAll(async () => {
    image = await buildImage();
    await pushImage(registry, 'names:v1', { image, kind: 'docker' });
  });

  beforeEach(async () => {
    ({ job, containerd } = openJob());
    await pullAll(job, `${registry.host}/names:v1`);
  });

  test('keep an image one by one; the last one takes it away', async () => {
    await tagImage(job, `${registry.host}/names:v1`, { repository: 'mine', tag: 'a' });
    await removeImage(job, `${registry.host}/names:v1`, { force: false });
    expect((await storedAfterCollection(containerd)).snapshots).toHaveLength(1);
    expect(listImages(job, { filters: new Map(), sharedSize: false })).toMatchObject([
      { Id: image.config.digest, RepoTags: ['mine:a'], RepoDigests: [] },
    ]);
    const answer = await removeImage(job, 'mine:a', { force: false });
    expect(answer).toContainEqual({ Deleted: image.config.digest });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });

  test('that move on leave a dangling image, which garbage collection spares', async () => {
    const other = await buildImage({ layers: [[{ type: 'file', path: 'new', content: 'new' }]] });
    await loadAll(job, await dockerArchive([{ image, tags: ['moving:v1'] }]));
    await removeImage(job, `${registry.host}/names:v1`, { force: false });
    await loadAll(job, await dockerArchive([{ image: other, tags: ['moving:v1'] }]));
    expect(resolveImage(job, image.config.digest).id).toBe(image.config.digest);
    expect((await storedAfterCollection(containerd)).snapshots).toHaveLength(2);
    const dangling = new Map([['dangling', ['true']]]);
    expect(listImages(job, { filters: dangling, sharedSize: false })).toMatchObject([
      { Id: image.config.digest },
    ]);
  });

  test('are found again by a process that starts later', async () => {
    const later = openJob(containerd.namespace);
    await restoreImages({ store: later.containerd, images: later.job.images, log: later.job.log });
    expect(await inspectImage(later.job, `${registry.host}/names:v1`)).toEqual(
      await inspectImage(job, `${registry.host}/names:v1`),
    );
  });
});

describe('load', () => {
  test('takes several images of a docker archive that share a layer', async () => {
    const { job, containerd } = openJob();
    const first = await buildImage();
    const second = await buildImage({ layers: [[{ type: 'file', path: 'x', content: 'x' }]] });
    const lines = await loadAll(
      job,
      await dockerArchive([
        { image: first, tags: ['first:v1', 'first:v2'] },
        { image: second, tags: ['second:v1'] },
      ]),
    );
    expect(lines).toEqual([
      { stream: 'Loaded image: first:v1\n' },
      { stream: 'Loaded image: first:v2\n' },
      { stream: 'Loaded image: second:v1\n' },
    ]);
    expect((await storedAfterCollection(containerd)).snapshots).toHaveLength(2);
    expect((await storedAfterCollection(containerd)).content).toHaveLength(6);
  });

  test("takes the host's image of a layout with several platforms", async () => {
    const { job } = openJob();
    const host = await buildImage();
    const other = await buildImage({ architecture: otherArchitecture });
    await loadAll(job, await ociLayoutOfPlatforms([other, host], 'multi:v1'));
    expect(job.images.list().map(({ id }) => id)).toEqual([host.config.digest]);
  });

  test('leaves nothing of an archive that breaks off', async () => {
    const { job, containerd } = openJob();
    const archive = await dockerArchive([{ image: await buildImage(), tags: ['broken:v1'] }]);
    await expect(loadAll(job, archive.subarray(0, archive.length / 2))).rejects.toMatchObject({
      kind: 'InvalidArgument',
    });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });
});

describe('a pull that fails', () => {
  test('leaves nothing when the client goes', async () => {
    const { job, containerd } = openJob();
    const layers = [
      [{ type: 'file' as const, path: 'big', content: Buffer.alloc(40_000_000, createRandomId()) }],
    ];
    await pushImage(registry, 'big:v1', {
      image: await buildImage({ layers, compression: 'none' }),
      kind: 'oci',
    });
    const controller = new AbortController();
    const pulled = pullImage(job, {
      reference: parseReference(`${registry.host}/big:v1`),
      platform: '',
      report: ({ status }) => {
        if (status === 'Downloading') controller.abort();
      },
      signal: controller.signal,
    });
    await expect(pulled).rejects.toMatchObject({ kind: 'Cancelled' });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });

  test('leaves nothing when a layer is not what the configuration says', async () => {
    const { job, containerd } = openJob();
    const [image, other] = [
      await buildImage(),
      await buildImage({ layers: [[{ type: 'file', path: 'y' }]] }),
    ];
    await pushImage(registry, 'wrong:v1', {
      image: { ...image, layers: other.layers.slice(1) },
      kind: 'docker',
    });
    await expect(pullAll(job, `${registry.host}/wrong:v1`)).rejects.toMatchObject({
      kind: 'InvalidArgument',
    });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });

  test('is not saved by a layer of that configuration that is already here', async () => {
    const { job } = openJob();
    const [image, other] = [
      await buildImage(),
      await buildImage({ layers: [[{ type: 'file', path: 'z' }]] }),
    ];
    await pushImage(registry, 'right:v1', { image, kind: 'docker' });
    await pushImage(registry, 'fake:v1', {
      image: { ...image, layers: other.layers.slice(1) },
      kind: 'docker',
    });
    await pullAll(job, `${registry.host}/right:v1`);
    await expect(pullAll(job, `${registry.host}/fake:v1`)).rejects.toMatchObject({ kind: 'InvalidArgument' });
    expect(resolveImage(job, `${registry.host}/right:v1`).id).toBe(image.config.digest);
  });

  test("says in dockerd's words what is missing", async () => {
    const { job } = openJob();
    await expect(pullAll(job, `${registry.host}/none:v1`)).rejects.toMatchObject({
      kind: 'NotFound',
      message: `manifest for ${registry.host}/none:v1 not found: manifest unknown: manifest unknown`,
    });
  });
});
