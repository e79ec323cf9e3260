import { EngineError, isErrorKind } from '../../errors.ts';
import {
  parseImageIndex,
  parseImageManifest,
  selectEntry,
  statedMediaType,
  type ContentDescriptor,
  type ImageManifest,
} from '../../oci/image-manifest.ts';
import { isIndexType, isManifestType, isSchema1Type } from '../../oci/media-types.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { FetchedManifest, Repository } from '../../registry/types.ts';
import { readSmallBlob, type ImageWork } from './image-work.ts';

/** The manifest of the wanted platform, and the index it was found in. */
export interface SelectedManifest {
  readonly index: FetchedManifest | undefined;
  readonly manifest: FetchedManifest;
  readonly parsed: ImageManifest;
}

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Fetches what the target descriptor names, down to one image; NotFound when the platform is not offered. */
export async function selectManifest(
  work: ImageWork,
  repository: Repository,
  wanted: { readonly target: ContentDescriptor; readonly platform: Platform; readonly familiarName: string },
): Promise<SelectedManifest> {
  const fetched = await fetchKnown(work, repository, wanted.target);
  checkFormat(fetched, wanted.familiarName);
  if (!isIndexType(fetched.mediaType))
    return {
      index: undefined,
      manifest: fetched,
      parsed: parseImageManifest(fetched.bytes, fetched.mediaType),
    };
  const entry = selectEntry(parseImageIndex(fetched.bytes, fetched.mediaType), wanted.platform);
  if (!entry)
    throw new EngineError(
      'NotFound',
      `no matching manifest for ${formatPlatform(wanted.platform)} in the manifest list entries`,
    );
  const manifest = await fetchKnown(work, repository, entry);
  return { index: fetched, manifest, parsed: parseImageManifest(manifest.bytes, manifest.mediaType) };
}

// The registry has just named this digest to this job, so a copy in the job's own namespace will do.
async function fetchKnown(
  work: ImageWork,
  repository: Repository,
  wanted: ContentDescriptor,
): Promise<FetchedManifest> {
  const fetched = (await readStored(work, wanted)) ?? (await repository.fetchManifest(wanted.digest));
  const mediaType = isKnownType(fetched.mediaType) ? fetched.mediaType : statedMediaType(fetched.bytes);
  return { ...fetched, mediaType };
}

async function readStored(work: ImageWork, wanted: ContentDescriptor): Promise<FetchedManifest | undefined> {
  try {
    const bytes = await readSmallBlob(work.containerd, wanted.digest, MAX_MANIFEST_BYTES);
    return { mediaType: wanted.mediaType, digest: wanted.digest, size: bytes.byteLength, bytes };
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

function isKnownType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType) || isSchema1Type(mediaType);
}

function checkFormat({ mediaType }: FetchedManifest, familiarName: string): void {
  if (isSchema1Type(mediaType))
    throw new EngineError(
      'InvalidArgument',
      `Docker Image manifest version 2, schema 1 is not supported: ${familiarName} has to be pushed again ` +
        'by a current client, in schema 2 or OCI format',
    );
}
