import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../test/support/contract-app.ts';
import { createFakeContainerd } from '../../../test/support/fake-containerd.ts';
import { buildImage, type BuiltImage } from '../../../test/support/image-builder.ts';
import { dockerArchive } from '../../../test/support/image-builder-archives.ts';
import { partOf } from '../../../test/support/records.ts';
import { createImageArchives } from '../../archive/read-images.ts';
import type { Settings } from '../../config/schema.ts';
import type { Containerd } from '../../containerd/types.ts';
import { createClock } from '../../lib/clock.ts';
import { createLogger } from '../../logger.ts';
import type { Container } from '../../state/container.ts';
import type { ContainerStore } from '../../state/container-store.ts';
import { createEventLog } from '../../state/event-log.ts';
import { createImageStore } from '../../state/image-store.ts';
import type { HostFacts } from '../../host/types.ts';
import type { Job } from '../job.ts';
import { chainIdsOf } from './chain-ids.ts';
import { historyImage } from './history-image.ts';
import { inspectImage } from './inspect-image.ts';
import { listImages } from './list-images.ts';
import { loadImage } from './load-image.ts';
import { removeImage } from './remove-image.ts';
import { resolveImage } from './resolve-image.ts';
import { tagImage } from './tag-image.ts';

let job: Job;
let containerd: Containerd;
let image: BuiltImage;
let containers: Container[];

beforeEach(async () => {
  containerd = createFakeContainerd().containerd;
  containers = [];
  job = partOf<Job>({
    containerd,
    store: containerd,
    settings: partOf<Settings>({ limits: DEFAULT_LIMITS }),
    archives: createImageArchives(),
    images: createImageStore(containerd.images),
    containers: partOf<ContainerStore>({ list: () => containers }),
    events: createEventLog(createClock()),
    host: partOf<HostFacts>({ architecture: 'amd64' }),
    log: createLogger('silent'),
    nowNs: createClock(),
    signal: new AbortController().signal,
  });
  image = await buildImage({
    base: 'scratch',
    architecture: 'amd64',
    labels: { team: 'a', empty: '' },
    cmd: ['sh'],
    layers: [[{ type: 'file', path: 'a', content: 'a' }], [{ type: 'file', path: 'b', content: 'b' }]],
  });
  await load({ image, tags: ['one:1'] });
});

async function load(
  ...images: readonly { readonly image: BuiltImage; readonly tags: readonly string[] }[]
): Promise<void> {
  const tar = Readable.from([await dockerArchive(images)]);
  const { signal } = new AbortController();
  await loadImage(job, { tar, platform: '', quiet: true, report: () => undefined, signal });
}

function container(status: 'running' | 'exited', id = 'c'.repeat(64)): Container {
  return { id, record: { imageId: image.config.digest, state: { status } } } as Container;
}

const names = (): readonly string[] =>
  listImages(job, { filters: new Map(), sharedSize: false }).flatMap(({ RepoTags }) => RepoTags);

describe('what keeps an image from collection', () => {
  test('is a chain of labels: manifest, configuration and layers, snapshots', async () => {
    const { manifest, layers, chainId } = resolveImage(job, 'one:1');
    expect((await containerd.images.get('docker.io/library/one:1')).target.digest).toBe(manifest.digest);
    expect((await containerd.content.info(manifest.digest)).labels).toEqual({
      'containerd.io/gc.ref.content.config': image.config.digest,
      'containerd.io/gc.ref.content.l.0': layers[0]?.blob.digest,
      'containerd.io/gc.ref.content.l.1': layers[1]?.blob.digest,
    });
    expect((await containerd.content.info(image.config.digest)).labels).toEqual({
      'containerd.io/gc.ref.snapshot.overlayfs': chainId,
    });
    expect(chainId).toBe(chainIdsOf(image.layers.map(({ tar }) => tar.digest)).at(-1));
  });

  test('is not the lease of the load, which is gone', async () => {
    expect(await containerd.leases.list()).toEqual([]);
  });
});

describe('resolveImage', () => {
  test.each(['one:1', 'docker.io/library/one:1', 'library/one:1', 'index.docker.io/library/one:1'])(
    'finds %s',
    (ref) => {
      expect(resolveImage(job, ref).id).toBe(image.config.digest);
    },
  );

  test('finds ids, whole and begun', () => {
    const id = image.config.digest;
    for (const ref of [id, id.slice(7), id.slice(0, 20), id.slice(7, 19), id.slice(7, 8)])
      expect(resolveImage(job, ref).id).toBe(id);
  });

  test.each([
    ['nope', 'No such image: nope:latest'],
    ['one', 'No such image: one:latest'],
    ['localhost:5000/x:2', 'No such image: localhost:5000/x:2'],
    [`sha256:${'0'.repeat(64)}`, `No such image: sha256:${'0'.repeat(64)}`],
    ['berth-dangling', 'No such image: berth-dangling:latest'],
  ])('does not find %s', (ref, message) => {
    expect(() => resolveImage(job, ref)).toThrow(expect.objectContaining({ kind: 'NotFound', message }));
  });

  test('tells of another platform', () => {
    expect(resolveImage(job, 'one:1', 'linux/amd64').id).toBe(image.config.digest);
    expect(() => resolveImage(job, 'one:1', 'linux/arm64')).toThrow(
      'image with reference one:1 was found but does not match the specified platform: wanted linux/arm64, actual: linux/amd64',
    );
  });
});

describe('removeImage', () => {
  test('by its only name deletes the image and says what went', async () => {
    const chainIds = chainIdsOf(image.layers.map(({ tar }) => tar.digest));
    expect(await removeImage(job, 'one:1', { force: false })).toEqual([
      { Untagged: 'one:1' },
      { Deleted: image.config.digest },
      { Deleted: chainIds[1] },
      { Deleted: chainIds[0] },
    ]);
    expect(await containerd.images.list()).toEqual([]);
  });

  test('by one of several names only takes the name', async () => {
    await tagImage(job, 'one:1', { repository: 'two', tag: '' });
    expect(await removeImage(job, 'one:1', { force: false })).toEqual([{ Untagged: 'one:1' }]);
    expect(names()).toEqual(['two:latest']);
  });

  test('by id needs force while there are several names', async () => {
    const short = image.config.digest.slice(7, 19);
    await tagImage(job, 'one:1', { repository: 'two', tag: '' });
    await expect(removeImage(job, short, { force: false })).rejects.toMatchObject({
      kind: 'Conflict',
      message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
    });
    const items = await removeImage(job, short, { force: true });
    expect(items.slice(0, 3)).toEqual([
      { Untagged: 'one:1' },
      { Untagged: 'two:latest' },
      { Deleted: image.config.digest },
    ]);
  });

  test('does not take the name of an image in use without force', async () => {
    containers.push(container('exited'));
    await expect(removeImage(job, 'one:1', { force: false })).rejects.toMatchObject({
      kind: 'Conflict',
      message:
        'conflict: unable to remove repository reference "one:1" (must force) - container cccccccccccc is using ' +
        `its referenced image ${image.config.digest.slice(7, 19)}`,
    });
  });

  test('with force leaves an image in use without a name', async () => {
    containers.push(container('running'));
    expect(await removeImage(job, 'one:1', { force: true })).toEqual([{ Untagged: 'one:1' }]);
    expect(resolveImage(job, image.config.digest).id).toBe(image.config.digest);
  });

  test('by id never takes what a running container uses', async () => {
    containers.push(container('exited', 'a'.repeat(64)), container('running', 'b'.repeat(64)));
    const short = image.config.digest.slice(7, 19);
    await expect(removeImage(job, short, { force: true })).rejects.toMatchObject({
      kind: 'Conflict',
      message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container bbbbbbbbbbbb`,
    });
  });

  test('by id takes what a stopped container uses with force alone', async () => {
    containers.push(container('exited'));
    const short = image.config.digest.slice(7, 19);
    await expect(removeImage(job, short, { force: false })).rejects.toThrow(
      `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
    );
    await removeImage(job, short, { force: true });
    expect(job.images.list()).toEqual([]);
  });

  test('spares layers of another image in its answer', async () => {
    const other = await buildImage({
      base: 'scratch',
      architecture: 'amd64',
      layers: [[{ type: 'file', path: 'a', content: 'a' }]],
    });
    await load({ image: other, tags: ['other:1'] });
    const items = await removeImage(job, 'one:1', { force: false });
    expect(items).toHaveLength(3);
  });

  test('of nothing is NotFound', async () => {
    await expect(removeImage(job, 'nope', { force: true })).rejects.toMatchObject({
      message: 'No such image: nope:latest',
    });
  });
});

describe('tagImage', () => {
  test.each([
    [{ repository: 'x', tag: 'y' }, 'x:y'],
    [{ repository: 'x:z', tag: '' }, 'x:z'],
    [{ repository: 'localhost:5000/x', tag: '' }, 'localhost:5000/x:latest'],
  ])('gives %o', async (to, name) => {
    await tagImage(job, 'one:1', to);
    expect(resolveImage(job, name).id).toBe(image.config.digest);
  });

  test.each([
    [{ repository: '', tag: 'x' }, 'invalid reference format'],
    [{ repository: 'x', tag: '../../x' }, 'invalid tag format'],
    [
      { repository: 'sha256', tag: 'x' },
      'refusing to create an ambiguous tag using digest algorithm as name',
    ],
    [
      { repository: `x@sha256:${'0'.repeat(64)}`, tag: '' },
      'refusing to create a tag with a digest reference',
    ],
    [{ repository: `berth-dangling@x`, tag: '' }, 'invalid reference format'],
  ])('refuses %o', async (to, message) => {
    await expect(tagImage(job, 'one:1', to)).rejects.toMatchObject({ kind: 'InvalidArgument', message });
  });
});

describe('listImages', () => {
  const list = (filters: Readonly<Record<string, readonly string[]>>): readonly string[] =>
    listImages(job, { filters: new Map(Object.entries(filters)), sharedSize: false }).map(({ Id }) => Id);

  test.each([
    [{ reference: ['one'] }, 1],
    [{ reference: ['on*:?'] }, 1],
    [{ reference: ['two', 'one:1'] }, 1],
    [{ reference: ['two'] }, 0],
    [{ label: ['team'] }, 1],
    [{ label: ['team=a', 'empty='] }, 1],
    [{ label: ['team=b'] }, 0],
    [{ label: ['toString'] }, 0],
    [{ dangling: ['true'] }, 0],
    [{ dangling: ['false'] }, 1],
    [{ before: ['one:1'] }, 0],
    [{ since: ['one:1'] }, 0],
    [{ until: ['2030-01-01T00:00:00Z'] }, 1],
    [{ until: ['1000'] }, 0],
    [{ until: ['2030-01-01T00:00:00Z', '1000'] }, 0],
    [{ until: ['1000', '2030-01-01T00:00:00Z'] }, 0],
  ])('with %o has %i', (filters, count) => {
    expect(list(filters)).toHaveLength(count);
  });

  test.each([{ colour: ['red'] }, { dangling: ['perhaps'] }, { until: ['soon'] }, { until: ['1h', 'soon'] }])(
    'refuses %o',
    (filters) => {
      expect(() => list(filters)).toThrow(expect.objectContaining({ kind: 'InvalidArgument' }));
    },
  );
});

test('inspect and history tell what the configuration says', async () => {
  expect(await inspectImage(job, 'one:1')).toMatchObject({
    Id: image.config.digest,
    RepoTags: ['one:1'],
    RepoDigests: [],
    Created: '2024-01-01T00:00:00Z',
    Architecture: 'amd64',
    Os: 'linux',
    Config: { Cmd: ['sh'], Entrypoint: null, Labels: { team: 'a', empty: '' } },
    RootFS: { Type: 'layers', Layers: image.layers.map(({ tar }) => tar.digest) },
  });
  expect((await historyImage(job, 'one:1')).map(({ Id, CreatedBy }) => [Id, CreatedBy])).toEqual([
    [image.config.digest, 'layer 1'],
    ['<missing>', 'layer 0'],
  ]);
});

test('what happens is told as dockerd tells it', async () => {
  await tagImage(job, 'one:1', { repository: 'two', tag: '' });
  await removeImage(job, 'two', { force: false });
  const id = image.config.digest;
  expect(
    job.events.recent().map(({ action, actorId, attributes }) => [action, actorId, attributes['name']]),
  ).toEqual([
    ['load', id, id],
    ['tag', id, 'two:latest'],
    ['untag', id, id],
  ]);
});
