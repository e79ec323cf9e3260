import { EngineError } from '../errors.ts';
import { isDigest } from './digest.ts';
import { MAX_IMAGE_CONFIG_BYTES, MAX_IMAGE_LAYERS, parseJson } from './image-config.ts';
import { optionalString, recordOf, type JsonObject } from './image-json.ts';
import {
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from './media-types.ts';
import { platformDistance, type Platform } from './platform.ts';

/** A reference to content by digest, as manifests carry it. */
export interface ContentDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The manifest of one image. */
export interface ImageManifest {
  readonly config: ContentDescriptor;
  /** Lowest first. */
  readonly layers: readonly ContentDescriptor[];
}

/** One entry of an index. */
export interface IndexEntry extends ContentDescriptor {
  readonly platform: Platform | undefined;
  /** Digest of the manifest that this one tells something about; empty for a manifest of its own. */
  readonly attests: string;
}

const MAX_INDEX_ENTRIES = 1000;
const ATTESTED_DIGEST = 'vnd.docker.reference.digest';

/** Reads a manifest of the media type; InvalidArgument for what is not an image that can be unpacked. */
export function parseImageManifest(bytes: Uint8Array, mediaType: string): ImageManifest {
  const root = documentOf(bytes, mediaType, 'image manifest');
  if ('manifests' in root) throw invalid('image manifest', 'it is an index as well');
  const config = parseDescriptor(root['config'], 'config');
  if (!isConfigType(config.mediaType))
    throw invalid('image manifest', `unsupported config media type "${config.mediaType}"`);
  if (config.size > MAX_IMAGE_CONFIG_BYTES) throw invalid('image manifest', 'its config is too large');
  const layers = listOf(root['layers'], 'layers', MAX_IMAGE_LAYERS).map((item) =>
    parseDescriptor(item, 'layer'),
  );
  for (const layer of layers) checkLayerType(layer.mediaType);
  return { config, layers };
}

/** Reads a manifest list or OCI index; InvalidArgument when it is none. */
export function parseImageIndex(bytes: Uint8Array, mediaType: string): readonly IndexEntry[] {
  const root = documentOf(bytes, mediaType, 'image index');
  if ('config' in root || 'layers' in root) throw invalid('image index', 'it is a manifest as well');
  return listOf(root['manifests'], 'manifests', MAX_INDEX_ENTRIES).map((item) => ({
    ...parseDescriptor(item, 'manifest'),
    platform: parseEntryPlatform(recordOf(item, 'manifest')['platform']),
    attests: optionalString(
      recordOf(recordOf(item, 'manifest')['annotations'] ?? {}, 'annotations'),
      ATTESTED_DIGEST,
    ),
  }));
}

/** Everything that a manifest refers to, whatever it is: its configuration and then its layers. */
export function parseReferences(bytes: Uint8Array, mediaType: string): readonly ContentDescriptor[] {
  const root = documentOf(bytes, mediaType, 'image manifest');
  const layers = listOf(root['layers'], 'layers', MAX_IMAGE_LAYERS);
  return [root['config'], ...layers].map((item) => parseDescriptor(item, 'descriptor'));
}

/** The entry that serves the platform best: the first of the nearest ones; undefined where none runs there. */
export function selectEntry(entries: readonly IndexEntry[], wanted: Platform): IndexEntry | undefined {
  let best: { readonly entry: IndexEntry; readonly distance: number } | undefined;
  for (const entry of entries) {
    if (!isManifestType(entry.mediaType)) continue;
    const distance = entry.platform === undefined ? undefined : platformDistance(wanted, entry.platform);
    if (distance !== undefined && (best === undefined || distance < best.distance))
      best = { entry, distance };
  }
  return best?.entry;
}

/** The media type that the document itself states, where it does. */
export function statedMediaType(bytes: Uint8Array): string {
  const root = recordOf(parseJson(bytes, 'manifest'), 'manifest');
  return optionalString(root, 'mediaType');
}

// A document that could be read as both kinds, or states another type than it was served as, is refused:
// two readers of the same digest must not see two images (CVE-2021-41190).
function documentOf(bytes: Uint8Array, mediaType: string, what: string): JsonObject {
  const isWanted = what === 'image index' ? isIndexType(mediaType) : isManifestType(mediaType);
  if (!isWanted) throw invalid(what, `unsupported media type "${mediaType.slice(0, 128)}"`);
  const root = recordOf(parseJson(bytes, what), what);
  // Go programs that leave it out write 0, and dockerd reads OCI's without.
  const versions = mediaType === OCI_MANIFEST || mediaType === OCI_INDEX ? [2, 0, undefined] : [2];
  if (!versions.some((version) => version === root['schemaVersion']))
    throw invalid(what, 'its schemaVersion is not 2');
  const stated = optionalString(root, 'mediaType');
  if (stated !== '' && stated !== mediaType)
    throw invalid(what, `served as "${mediaType}" but it states "${stated.slice(0, 128)}"`);
  return root;
}

function parseDescriptor(value: unknown, what: string): ContentDescriptor {
  const descriptor = recordOf(value, what);
  const digest = optionalString(descriptor, 'digest');
  const size = descriptor['size'];
  if (!isDigest(digest)) throw invalid(what, 'its digest is not a sha256 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(what, 'its size is no size');
  return { mediaType: optionalString(descriptor, 'mediaType').slice(0, 256), digest, size };
}

function parseEntryPlatform(value: unknown): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  const platform = recordOf(value, 'platform');
  return {
    os: optionalString(platform, 'os'),
    architecture: optionalString(platform, 'architecture'),
    variant: optionalString(platform, 'variant'),
  };
}

function checkLayerType(mediaType: string): void {
  if (isForeignLayerType(mediaType))
    throw new EngineError(
      'InvalidArgument',
      'foreign layers are not supported: the registry does not hold them',
    );
  if (!isLayerType(mediaType)) throw invalid('image manifest', `unsupported layer media type "${mediaType}"`);
}

function listOf(value: unknown, what: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(what, 'not a list');
  if (value.length > limit) throw invalid(what, `more than ${limit}`);
  return value;
}

function invalid(what: string, why: string): EngineError {
  return new EngineError('InvalidArgument', `invalid ${what}: ${why}`);
}
