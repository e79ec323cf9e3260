import type { Labels } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import { forEachBounded } from '../../lib/for-each-bounded.ts';
import { MAX_IMAGE_CONFIG_BYTES, parseImageConfig, type ImageConfig } from '../../oci/image-config.ts';
import type { ContentDescriptor, ImageManifest } from '../../oci/image-manifest.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import { configLabels, indexLabels, manifestLabels } from './gc-labels.ts';
import { writeSmallBlob, type ImageWork } from './image-work.ts';

/** A small blob with its bytes. */
export interface SmallBlob extends ContentDescriptor {
  readonly bytes: Uint8Array;
  /** What else is to be said of it in the store. */
  readonly labels?: Labels;
}

/** The documents of an image whose layers are there. */
export interface ImageDocuments {
  readonly config: SmallBlob;
  readonly manifest: SmallBlob;
  readonly parsedManifest: ImageManifest;
  readonly index: SmallBlob | undefined;
}

/** Reads the configuration of an image and checks that it can run here; InvalidArgument otherwise. */
export function checkImageConfig(bytes: Uint8Array, layerCount: number): ImageConfig {
  if (bytes.byteLength > MAX_IMAGE_CONFIG_BYTES)
    throw new EngineError('InvalidArgument', 'invalid image config: too large');
  const config = parseImageConfig(bytes);
  if (config.diffIds.length !== layerCount)
    throw new EngineError(
      'InvalidArgument',
      `invalid rootfs in image configuration: ${config.diffIds.length} diff ids for ${layerCount} layers`,
    );
  if (config.platform.os !== 'linux')
    throw new EngineError(
      'InvalidArgument',
      `image operating system ${JSON.stringify(config.platform.os)} cannot be used on this platform`,
    );
  return config;
}

/** Writes an image's documents, each keeping what it refers to, so that a name for the top one keeps all. */
export async function storeDocuments(
  work: ImageWork,
  documents: ImageDocuments,
  unpacked: { readonly config: ImageConfig; readonly layers: readonly ImageLayer[] },
): Promise<Image> {
  const { config, manifest, parsedManifest, index } = documents;
  const chainId = unpacked.layers.at(-1)?.chainId ?? '';
  const written = [
    { document: config, labels: configLabels(chainId, work.store.snapshots.snapshotter) },
    { document: manifest, labels: manifestLabels(parsedManifest) },
    ...(index ? [{ document: index, labels: indexLabels(manifest.digest) }] : []),
  ];
  // The lease of the work keeps each until all are there.
  await forEachBounded(written, written.length, ({ document, labels }) =>
    writeDocument(work, document, labels),
  );
  return {
    id: config.digest,
    manifest: { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size },
    config: unpacked.config,
    layers: unpacked.layers,
    chainId,
    parentId: '',
  };
}

function writeDocument(work: ImageWork, document: SmallBlob, references: Labels): Promise<void> {
  return writeSmallBlob(work, document, {
    bytes: document.bytes,
    labels: { ...document.labels, ...references },
  });
}
