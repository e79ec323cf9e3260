import type { ContentInfo } from '../../containerd/types.ts';
import { isErrorKind } from '../../errors.ts';
import { shortId } from '../../oci/digest.ts';
import { MAX_IMAGE_CONFIG_BYTES } from '../../oci/image-config.ts';
import { familiarName } from '../../oci/reference.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { SNAPSHOTTER } from '../snapshotter.ts';
import { chainIdsOf } from './chain-ids.ts';
import { checkPlatform } from './check-platform.ts';
import { configLabels, indexLabels, manifestLabels } from './gc-labels.ts';
import { findContent, readSmallBlob, type ImageWork } from './image-work.ts';
import type { Pull, PulledImage } from './pull-types.ts';
import { checkImageConfig } from './register-image.ts';
import { selectManifest, storedDocuments, type SelectedManifest } from './select-manifest.ts';
import { isUnpackedAs } from './unpack-layers.ts';

/**
 * The image as the host already has it, whole and unpacked, where the registry's word gives the pull every part of it:
 * nothing is transferred and nothing is written. Undefined where anything is missing.
 */
export async function adoptImage(work: ImageWork, pull: Pull): Promise<PulledImage | undefined> {
  const { reference, target, platform, access } = pull;
  const selected = await selectManifest(storedDocuments(work, access), {
    target,
    platform,
    familiarName: familiarName(reference),
  });
  if (!selected) return undefined;
  const { parsed, manifest } = selected;
  const blobs = [parsed.config, ...parsed.layers];
  const infos = await Promise.all(blobs.map(({ digest }) => findContent(work.store, digest)));
  const found = infos.filter((info) => info !== undefined && access.allows(info)) as readonly ContentInfo[];
  const [configInfo, ...layerInfos] = found;
  if (found.length < blobs.length || configInfo === undefined) return undefined;
  const configBytes = await readSmallBlob(work.store, parsed.config.digest, MAX_IMAGE_CONFIG_BYTES);
  const config = checkImageConfig(configBytes, parsed.layers.length);
  checkPlatform(pull, config.platform);
  const isUnpacked = layerInfos.every(
    (info, index) =>
      info.size === parsed.layers[index]?.size && isUnpackedAs(info, config.diffIds[index] ?? ''),
  );
  if (!isUnpacked || !(await isHeld(work, selected, { configInfo, chainIds: chainIdsOf(config.diffIds) })))
    return undefined;
  const layers = await measureLayers(work, selected, config.diffIds);
  if (!layers || !(await isGiven(pull, selected))) return undefined;
  for (const { blob } of layers)
    work.report({ status: 'Already exists', progressDetail: {}, id: shortId(blob.digest) });
  pull.traffic.reusedLayers = layers.length;
  const image = {
    id: parsed.config.digest,
    manifest: { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size },
    config,
    layers,
    chainId: layers.at(-1)?.chainId ?? '',
    parentId: '',
  };
  return { image, selected };
}

/** The claim on the target holds everything, if each document says what it refers to. */
async function isHeld(
  work: ImageWork,
  { index, manifest, parsed }: SelectedManifest,
  last: { readonly configInfo: ContentInfo; readonly chainIds: readonly string[] },
): Promise<boolean> {
  const holds = (info: ContentInfo | undefined, labels: Readonly<Record<string, string>>): boolean =>
    Object.entries(labels).every(([key, value]) => info?.labels[key] === value);
  return (
    (index === undefined ||
      holds(await findContent(work.store, index.digest), indexLabels(manifest.digest))) &&
    holds(await findContent(work.store, manifest.digest), manifestLabels(parsed)) &&
    holds(last.configInfo, configLabels(last.chainIds.at(-1) ?? ''))
  );
}

async function measureLayers(
  work: ImageWork,
  { parsed }: SelectedManifest,
  diffIds: readonly string[],
): Promise<readonly ImageLayer[] | undefined> {
  const chainIds = chainIdsOf(diffIds);
  const snapshots = work.store.snapshots(SNAPSHOTTER);
  try {
    return await Promise.all(
      parsed.layers.map(async (blob, index) => {
        const chainId = chainIds[index] ?? '';
        const { sizeBytes } = await snapshots.usage(chainId);
        return { blob, diffId: diffIds[index] ?? '', chainId, sizeBytes };
      }),
    );
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** A manifest that credentials opened is asked for blob by blob: they may open less than they did for another job. */
async function isGiven({ repository }: Pull, { parsed }: SelectedManifest): Promise<boolean> {
  if (repository.isAnonymous()) return true;
  const answers = await Promise.all(
    [parsed.config, ...parsed.layers].map((blob) => repository.hasBlob(blob)),
  );
  return answers.every(Boolean);
}
