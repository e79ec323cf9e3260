import { EngineError } from '../../errors.ts';
import { forEachBounded } from '../../lib/for-each-bounded.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import { familiarName } from '../../oci/reference.ts';
import type { Image } from '../../state/image-store.ts';
import { chainIdsOf } from './chain-ids.ts';
import { checkPlatform } from './check-platform.ts';
import { downloadLayers } from './download-layers.ts';
import { claimContent, readSmallBlob, type ImageWork } from './image-work.ts';
import type { Pull, PulledImage } from './pull-types.ts';
import { checkImageConfig, storeDocuments, type SmallBlob } from './register-image.ts';
import {
  fetchedDocuments,
  selectManifest,
  storedDocuments,
  type SelectedManifest,
} from './select-manifest.ts';
import { isUnpacked, unpackLayers, type PendingLayer } from './unpack-layers.ts';

/** Whether the store has a layer for a pull: not, or its blob, or its snapshot as well. */
type LayerState = 'absent' | 'granted' | 'unpacked';

const PARALLEL_LOOKS = 8;

/** Fetches what the pull may not take from the store, and unpacks what is not unpacked. */
export async function fetchImage(work: ImageWork, pull: Pull): Promise<PulledImage> {
  const { reference, repository, target, platform, access } = pull;
  const source = fetchedDocuments(storedDocuments(work, access), repository, access);
  const selected = await selectManifest(source, { target, platform, familiarName: familiarName(reference) });
  if (!selected) throw new EngineError('Internal', 'a registry answered with nothing');
  const config = await fetchConfig(work, pull, selected.parsed.config);
  return { image: await fetchLayers(work, pull, { selected, config }), selected };
}

/** Blobs of the store that the pull may have; with credentials, those that the repository gives it now. */
async function claimGranted(work: ImageWork, pull: Pull, blob: ContentDescriptor): Promise<boolean> {
  const info = await claimContent(work, blob.digest);
  if (info?.size !== blob.size || !pull.access.allows(info)) return false;
  return pull.repository.isAnonymous() || (await pull.repository.hasBlob(blob));
}

async function fetchConfig(work: ImageWork, pull: Pull, descriptor: ContentDescriptor): Promise<SmallBlob> {
  if (descriptor.size > MAX_IMAGE_CONFIG_BYTES)
    throw new EngineError('InvalidArgument', 'invalid image config: too large');
  if (await claimGranted(work, pull, descriptor))
    return {
      ...descriptor,
      bytes: await readSmallBlob(work.store, descriptor.digest, MAX_IMAGE_CONFIG_BYTES),
    };
  const chunks: Uint8Array[] = [];
  for await (const chunk of pull.repository.fetchBlob(descriptor)) {
    pull.traffic.networkBytes += chunk.byteLength;
    chunks.push(chunk);
  }
  return { ...descriptor, bytes: Buffer.concat(chunks), labels: pull.access.servedLabels };
}

async function fetchLayers(
  work: ImageWork,
  pull: Pull,
  source: { readonly selected: SelectedManifest; readonly config: SmallBlob },
): Promise<Image> {
  const { parsed, manifest, index } = source.selected;
  const config = checkImageConfig(source.config.bytes, parsed.layers.length);
  checkPlatform(pull, config.platform);
  const { granted, unpacked } = await announceLayers(work, pull, {
    id: parsed.config.digest,
    blobs: parsed.layers,
    diffIds: config.diffIds,
  });
  pull.traffic.reusedLayers = granted.size;
  const quiet = { ...work, report: reportOnlyOf(work, unpacked) };
  const downloads = downloadLayers(quiet, pull, { layers: parsed.layers, granted });
  try {
    const layers = await unpackLayers(quiet, pendingLayers(parsed.layers, config.diffIds, downloads.ready), {
      extracting: ({ blob }) => {
        quiet.report({
          status: 'Extracting',
          progressDetail: { current: blob.size, total: blob.size },
          id: shortId(blob.digest),
        });
      },
      complete: ({ blob }) => {
        quiet.report({ status: 'Pull complete', progressDetail: {}, id: shortId(blob.digest) });
      },
    });
    const documents = { config: source.config, manifest, parsedManifest: parsed, index };
    return await storeDocuments(work, documents, { config, layers });
  } finally {
    downloads.stop();
    await downloads.ended;
  }
}

function pendingLayers(
  blobs: readonly ContentDescriptor[],
  diffIds: readonly string[],
  ready: readonly Promise<void>[],
): readonly PendingLayer[] {
  const chainIds = chainIdsOf(diffIds);
  return blobs.map((blob, index) => ({
    blob,
    diffId: diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    ready: ready[index] ?? Promise.resolve(),
  }));
}

/** What the store has for this pull: digests of blobs, and short ids of those that are unpacked, which it announces. */
async function announceLayers(
  work: ImageWork,
  pull: Pull,
  image: {
    readonly id: string;
    readonly blobs: readonly ContentDescriptor[];
    readonly diffIds: readonly string[];
  },
): Promise<{ readonly granted: ReadonlySet<string>; readonly unpacked: ReadonlySet<string> }> {
  const chainIds = chainIdsOf(image.diffIds);
  const layers = image.blobs.map((blob, index) => ({
    blob,
    diffId: image.diffIds[index] ?? '',
    chainId: chainIds[index] ?? '',
    state: 'absent',
  }));
  await forEachBounded(layers, PARALLEL_LOOKS, async (layer) => {
    layer.state = await stateOf(work, pull, layer);
  });
  const isKnown = work.job.images.get(image.id) !== undefined;
  const granted = new Set<string>();
  const unpacked = new Set<string>();
  for (const { blob, state } of layers) {
    const id = shortId(blob.digest);
    if (state !== 'absent') granted.add(blob.digest);
    if (state === 'unpacked') unpacked.add(id);
    if (state !== 'unpacked') work.report({ status: 'Pulling fs layer', progressDetail: {}, id });
    // As in dockerd, an image that the job has under another name says nothing of its layers.
    else if (!isKnown) work.report({ status: 'Already exists', progressDetail: {}, id });
  }
  return { granted, unpacked };
}

async function stateOf(
  work: ImageWork,
  pull: Pull,
  layer: { readonly blob: ContentDescriptor; readonly diffId: string; readonly chainId: string },
): Promise<LayerState> {
  if (!(await claimGranted(work, pull, layer.blob))) return 'absent';
  return (await isUnpacked(work, layer)) ? 'unpacked' : 'granted';
}

function reportOnlyOf(work: ImageWork, unpacked: ReadonlySet<string>): ImageWork['report'] {
  return (progress) => {
    if (progress.id === undefined || !unpacked.has(progress.id)) work.report(progress);
  };
}
