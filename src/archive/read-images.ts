import type { Readable } from 'node:stream';
import { EngineError } from '../errors.ts';
import { collectEntries, type ArchiveIndex } from './collect-entries.ts';
import { readDockerManifest } from './docker-archive.ts';
import { readOciLayout } from './oci-layout.ts';
import { toStorable } from './to-storable.ts';
import type { ArchivedImage, ArchiveSink, ImageArchives } from './types.ts';
import { writeImages } from './write-images.ts';

/** Reads and writes `docker save` archives (old or new style) and tarred OCI layouts. */
export function createImageArchives(): ImageArchives {
  return { toStorable, readImages, writeImages };
}

async function readImages(
  tar: Readable,
  sink: ArchiveSink,
  signal: AbortSignal,
): Promise<readonly ArchivedImage[]> {
  const index = await collectEntries(tar, sink, signal);
  // A new `docker save` writes both; manifest.json is the one that names what the user asked for.
  return imagesOf(index, sink);
}

async function imagesOf(index: ArchiveIndex, sink: ArchiveSink): Promise<readonly ArchivedImage[]> {
  const manifest = index.document('manifest.json');
  const layout = index.document('index.json');
  if (manifest !== undefined) {
    const images = readDockerManifest(manifest, index);
    return layout === undefined ? images : withManifests(images, await manifestsOf(layout, index, sink));
  }
  if (layout !== undefined) return readOciLayout(layout, index, sink);
  throw new EngineError('InvalidArgument', 'open manifest.json: no such file or directory');
}

// A layout beside a manifest.json need not be one: dockerd does not look at it.
async function manifestsOf(
  layout: Uint8Array,
  index: ArchiveIndex,
  sink: ArchiveSink,
): Promise<readonly ArchivedImage[]> {
  try {
    return await readOciLayout(layout, index, sink);
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'InvalidArgument') return [];
    throw error;
  }
}

/**
 * The same images, each with the documents that the layout has for these very blobs, so their digests survive; and after
 * it those of other platforms that are listed in the same index.
 */
function withManifests(
  images: readonly ArchivedImage[],
  listed: readonly ArchivedImage[],
): readonly ArchivedImage[] {
  const keyOf = ({ config, layers }: ArchivedImage): string =>
    [config, ...layers].map(({ digest }) => digest).join(' ');
  const byBlobs = new Map(listed.map((image) => [keyOf(image), image]));
  return images.flatMap((image) => {
    const { manifest, index } = byBlobs.get(keyOf(image)) ?? image;
    const others = listed.filter((one) => one.index === index && one.manifest !== manifest);
    return [
      { ...image, manifest, index },
      ...(index ? others : []).map((one) => ({ ...one, names: image.names })),
    ];
  });
}
