import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Containerd } from '../../src/containerd/types.ts';
import { loadImage } from '../../src/engine/images/load-image.ts';
import type { Job } from '../../src/engine/job.ts';
import { createRandomId } from '../../src/lib/random-id.ts';
import type { ImageProgress } from '../../src/wire/image-progress.ts';
import { fakeRegistry } from '../support/fake-registry.ts';
import { buildImage, hostArchitecture, type BuiltImage } from '../support/image-builder.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { openImageJob, storedAfterCollection } from '../support/image-job.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';

// An archive names its images last: what its configurations tell is enough to begin with.

const NOTHING = { content: [], snapshots: [], writes: 0, leases: 0 };
const LAYERS = ['one', 'two', 'three'];
let real: RealContainerd;

beforeAll(async () => {
  real = await startRealContainerd();
});
afterAll(() => real.stop());

function openJob(): { readonly job: Job; readonly containerd: Containerd } {
  const containerd = real.connect(`images-${createRandomId().slice(0, 12)}`);
  return { job: openImageJob(containerd, fakeRegistry().registry), containerd };
}

function makeImage(architecture = hostArchitecture()): Promise<BuiltImage> {
  const layers = LAYERS.map((path) => [{ type: 'file' as const, path, content: createRandomId() }]);
  return buildImage({ base: 'scratch', compression: 'none', layers, architecture });
}

function load(job: Job, tar: Readable): { readonly lines: ImageProgress[]; readonly loaded: Promise<void> } {
  const lines: ImageProgress[] = [];
  const report = (line: ImageProgress): void => void lines.push(line);
  const { signal } = new AbortController();
  return { lines, loaded: loadImage(job, { tar, platform: '', quiet: false, report, signal }) };
}

async function committed(containerd: Containerd): Promise<number> {
  return (await containerd.snapshots.list()).filter(({ kind }) => kind === 'committed').length;
}

/** All of the archive but its manifest.json; that, or an error, once `isTime`. */
async function* twoParts(
  archive: Buffer,
  isTime: () => Promise<boolean>,
  end: 'whole' | 'broken',
): AsyncGenerator<Buffer> {
  const manifestAt = archive.lastIndexOf('manifest.json');
  yield archive.subarray(0, manifestAt);
  while (!(await isTime())) await sleep(5);
  if (end === 'broken') throw new Error('the client has gone');
  yield archive.subarray(manifestAt);
}

describe('layers that are not compressed', () => {
  test('are unpacked before the archive has said what its images are, and each is reported once', async () => {
    const { job, containerd } = openJob();
    const image = await makeImage();
    const archive = await dockerArchive([{ image, tags: ['ahead:v1'] }]);
    const isTime = async (): Promise<boolean> => (await committed(containerd)) === LAYERS.length;
    const { lines, loaded } = load(job, Readable.from(twoParts(archive, isTime, 'whole')));
    await loaded;
    expect(job.images.list().map(({ id }) => id)).toEqual([image.config.digest]);
    expect(lines.map(({ status, stream }) => status ?? stream)).toEqual([
      ...LAYERS.map(() => 'Loading layer'),
      'Loaded image: ahead:v1\n',
    ]);
  });

  test('leave nothing where the archive breaks off after them', async () => {
    const { job, containerd } = openJob();
    const archive = await dockerArchive([{ image: await makeImage(), tags: ['ahead:v2'] }]);
    const isTime = async (): Promise<boolean> => (await committed(containerd)) > 0;
    await expect(load(job, Readable.from(twoParts(archive, isTime, 'broken'))).loaded).rejects.toMatchObject({
      kind: 'InvalidArgument',
    });
    expect(await storedAfterCollection(containerd)).toEqual(NOTHING);
  });

  test('of another platform are not, beside those of the host', async () => {
    const { job, containerd } = openJob();
    const [host, other] = [await makeImage(), await makeImage(otherArchitecture())];
    const archive = await dockerArchive([
      { image: other, tags: ['two:v1'] },
      { image: host, tags: ['two:v1'] },
    ]);
    await load(job, Readable.from([archive])).loaded;
    expect(job.images.list().map(({ id }) => id)).toEqual([host.config.digest]);
    expect(await committed(containerd)).toBe(LAYERS.length);
  });
});

function otherArchitecture(): ReturnType<typeof hostArchitecture> {
  return hostArchitecture() === 'arm64' ? 'amd64' : 'arm64';
}
