import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrorKind } from '../../errors.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import { composeManifest } from './compose-manifest.ts';
import { manifestLabels } from './gc-labels.ts';
import {
  checkActive,
  readSmallBlob,
  writeSmallBlob,
  writeUnknownBlob,
  type ImageWork,
} from './image-work.ts';
import type { SmallBlob } from './register-image.ts';

/** An image as registries store it: no layer without compression. */
export interface DistributionForm {
  readonly manifest: SmallBlob;
  readonly config: ContentDescriptor;
  /** Lowest first. */
  readonly layers: readonly { readonly diffId: string; readonly blob: ContentDescriptor }[];
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
// The uncompressed blob keeps its compressed form as long as it is kept itself, so that a second push finds it.
const COMPRESSED_LABEL = 'containerd.io/gc.ref.content.berth-gzip';
const UNCOMPRESSED_LABEL = 'containerd.io/uncompressed';
// Half the time of the default for some per cent more bytes.
const GZIP_LEVEL = 4;
const UNCOMPRESSED_TYPES: ReadonlySet<string> = new Set([
  layerMediaType('none'),
  'application/vnd.oci.image.layer.v1.tar',
]);

/** The image as it came, or where layers of it were never compressed, with a manifest of its own: the same every time. */
export async function distributionForm(work: ImageWork, image: Image): Promise<DistributionForm> {
  const { manifest } = image;
  const { size } = await work.store.content.info(image.id);
  const config = { mediaType: '', digest: image.id, size };
  if (!image.layers.some(({ blob }) => isUncompressed(blob))) {
    const bytes = await readSmallBlob(work.store, manifest.digest, MAX_MANIFEST_BYTES);
    return { manifest: { ...manifest, bytes }, config, layers: image.layers };
  }
  const layers: DistributionForm['layers'][number][] = [];
  for (const layer of image.layers)
    layers.push({ diffId: layer.diffId, blob: await compressed(work, layer) });
  const blobs = layers.map(({ blob }) => blob);
  const composed = composeManifest(config, blobs);
  // It keeps the manifest that the job knows the image by: a name for it is a name for the image.
  const labels = {
    ...manifestLabels({ config, layers: blobs }),
    'containerd.io/gc.ref.content.local': manifest.digest,
  };
  await writeSmallBlob(work, composed, { bytes: composed.bytes, labels });
  return { manifest: composed, config, layers };
}

function isUncompressed({ mediaType }: ContentDescriptor): boolean {
  return UNCOMPRESSED_TYPES.has(mediaType);
}

async function compressed(work: ImageWork, { blob, diffId }: ImageLayer): Promise<ContentDescriptor> {
  if (!isUncompressed(blob)) return blob;
  const mediaType = layerMediaType('gzip');
  const known = await knownForm(work, blob.digest);
  if (known) return { ...known, mediaType };
  checkActive(work);
  const gzip = createGzip({ level: GZIP_LEVEL });
  const fed = pipeline(Readable.from(work.store.content.read(blob.digest), { objectMode: false }), gzip, {
    signal: work.signal,
  });
  const [read, written] = await Promise.allSettled([fed, writeUnknownBlob(work, gzip)]);
  if (written.status === 'rejected') throw written.reason;
  if (read.status === 'rejected') throw read.reason;
  const { digest, size } = written.value;
  await work.store.content.updateLabels(digest, { [UNCOMPRESSED_LABEL]: diffId });
  await work.store.content.updateLabels(blob.digest, { [COMPRESSED_LABEL]: digest });
  return { mediaType, digest, size };
}

async function knownForm(
  { store: { content } }: ImageWork,
  digest: string,
): Promise<Pick<ContentDescriptor, 'digest' | 'size'> | undefined> {
  const label = (await content.info(digest)).labels[COMPRESSED_LABEL];
  if (label === undefined) return undefined;
  try {
    const { size } = await content.info(label);
    return { digest: label, size };
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}
