import type { ContentDescriptor, IndexEntry } from '../../oci/image-manifest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Image } from '../../state/image-store.ts';
import type {
  ImageDescriptor,
  ImageManifestSummary,
  ManifestPlatform,
} from '../../wire/image-manifest-summary.ts';
import type { Job } from '../job.ts';
import { nameMeant, readHeldIndex, readMemberReferences, readPlatformOf } from './held-index.ts';

type Work = Pick<Job, 'images' | 'containers' | 'store'>;

/** What the image's latest name leads to. */
export function describeTarget(job: Pick<Job, 'images'>, image: Image): ImageDescriptor {
  const { mediaType, digest, size } = nameMeant(job, image.id, image)?.target ?? image.manifest;
  return { mediaType, digest, size };
}

/** All manifests that the image's latest name leads to, those included that the job does not have. */
export async function summarizeManifests(job: Work, image: Image): Promise<readonly ImageManifestSummary[]> {
  const name = nameMeant(job, image.id, image);
  const index = name && (await readHeldIndex(job.store, name));
  if (!index) return [await summarizeHeld(job, { ...image.manifest, platform: undefined, attests: '' })];
  const held = new Set(index.held.map(({ digest }) => digest));
  return Promise.all(
    index.entries.map((entry) =>
      held.has(entry.digest) ? summarizeHeld(job, entry) : Promise.resolve(summarizeAbsent(entry)),
    ),
  );
}

async function summarizeHeld(job: Work, entry: IndexEntry): Promise<ImageManifestSummary> {
  const references = await readMemberReferences(job.store, entry);
  const Content = references.reduce((sum, { size }) => sum + size, entry.size);
  const [config] = references;
  const shared = { ...summarizeAbsent(entry), Available: true };
  if (entry.attests !== '' || !config) return { ...shared, Size: { Content, Total: Content } };
  const { platform, unpackedBytes } = await lookInto(job, entry, config);
  const Platform = shapePlatform(platform);
  return {
    ...shared,
    Kind: 'image',
    Descriptor: describe({ ...entry, platform }),
    Size: { Content, Total: Content + unpackedBytes },
    ImageData: { Platform, Containers: usersOf(job, config.digest), Size: { Unpacked: unpackedBytes } },
  };
}

async function lookInto(
  job: Work,
  entry: IndexEntry,
  config: ContentDescriptor,
): Promise<{ readonly platform: Platform; readonly unpackedBytes: number }> {
  const image = job.images.get(config.digest);
  const platform = entry.platform ?? image?.config.platform ?? (await readPlatformOf(job.store, config));
  return { platform, unpackedBytes: image?.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0 };
}

function usersOf(job: Pick<Job, 'containers'>, imageId: string): readonly string[] {
  return job.containers
    .list()
    .filter((container) => container.record.imageId === imageId)
    .map(({ id }) => id);
}

function summarizeAbsent(entry: IndexEntry): ImageManifestSummary {
  const shared = {
    ID: entry.digest,
    Descriptor: describe(entry),
    Available: false,
    Size: { Content: 0, Total: 0 },
  };
  if (entry.attests !== '')
    return { ...shared, Kind: 'attestation', AttestationData: { For: entry.attests } };
  const { platform } = entry;
  if (platform === undefined) return { ...shared, Kind: 'unknown' };
  const ImageData = { Platform: shapePlatform(platform), Containers: [], Size: { Unpacked: 0 } };
  return { ...shared, Kind: 'image', ImageData };
}

function describe({ mediaType, digest, size, platform }: IndexEntry): ImageDescriptor {
  return { mediaType, digest, size, ...(platform ? { platform: shapePlatform(platform) } : {}) };
}

function shapePlatform({ architecture, os, variant }: Platform): ManifestPlatform {
  return { architecture, os, ...(variant === '' ? {} : { variant }) };
}
