import { EngineError } from '../../errors.ts';
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
import type { Repository } from '../../registry/types.ts';
import type { BlobAccess } from './blob-access.ts';
import { claimContent, readSmallBlob, type ImageWork } from './image-work.ts';
import type { SmallBlob } from './register-image.ts';

/** The manifest of the wanted platform, and the index it was found in. */
export interface SelectedManifest {
  readonly index: SmallBlob | undefined;
  readonly manifest: SmallBlob;
  readonly parsed: ImageManifest;
}

/** Where documents come from: undefined for one that this source does not have. */
export type DocumentSource = (wanted: ContentDescriptor) => Promise<SmallBlob | undefined>;

/** What is looked for. */
export interface WantedManifest {
  readonly target: ContentDescriptor;
  readonly platform: Platform;
  readonly familiarName: string;
}

/** The most that a manifest or an index may have. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Documents of the store that the pull may have; nothing is asked of the registry. */
export function storedDocuments(work: ImageWork, access: BlobAccess): DocumentSource {
  return async (wanted) => {
    const known = await claimContent(work, wanted.digest);
    if (!known || !access.allows(known)) return undefined;
    const bytes = await readSmallBlob(work.store, wanted.digest, MAX_MANIFEST_BYTES);
    return { mediaType: wanted.mediaType, digest: wanted.digest, size: bytes.byteLength, bytes };
  };
}

/** Documents of the store where the pull may have them, else of the registry. */
export function fetchedDocuments(
  stored: DocumentSource,
  repository: Repository,
  access: BlobAccess,
): DocumentSource {
  return async (wanted) => {
    const known = await stored(wanted);
    if (known) return known;
    const fetched = await repository.fetchManifest(wanted.digest);
    const mediaType = isKnownType(fetched.mediaType) ? fetched.mediaType : statedMediaType(fetched.bytes);
    return { ...fetched, mediaType, labels: access.servedLabels };
  };
}

/** Follows the target descriptor down to one image; NotFound when the platform is not offered, undefined when the source ends. */
export async function selectManifest(
  source: DocumentSource,
  wanted: WantedManifest,
): Promise<SelectedManifest | undefined> {
  const document = await source(wanted.target);
  if (!document) return undefined;
  checkFormat(document, wanted.familiarName);
  if (!isIndexType(document.mediaType))
    return {
      index: undefined,
      manifest: document,
      parsed: parseImageManifest(document.bytes, document.mediaType),
    };
  const entry = selectEntry(parseImageIndex(document.bytes, document.mediaType), wanted.platform);
  if (!entry)
    throw new EngineError(
      'NotFound',
      `no matching manifest for ${formatPlatform(wanted.platform)} in the manifest list entries`,
    );
  const manifest = await source(entry);
  if (!manifest) return undefined;
  return { index: document, manifest, parsed: parseImageManifest(manifest.bytes, manifest.mediaType) };
}

/** The descriptor of a manifest or index whose bytes are at hand; undefined where it does not say what it is. */
export function describeDocument(digest: string, bytes: Uint8Array): ContentDescriptor | undefined {
  const mediaType = statedMediaType(bytes);
  return isKnownType(mediaType) ? { mediaType, digest, size: bytes.byteLength } : undefined;
}

function isKnownType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType) || isSchema1Type(mediaType);
}

function checkFormat({ mediaType }: SmallBlob, familiarName: string): void {
  if (isSchema1Type(mediaType))
    throw new EngineError(
      'InvalidArgument',
      `Docker Image manifest version 2, schema 1 is not supported: ${familiarName} has to be pushed again ` +
        'by a current client, in schema 2 or OCI format',
    );
}
