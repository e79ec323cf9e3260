import { EngineError } from '../errors.ts';
import type { ArchiveIndex } from './collect-entries.ts';
import { asList, asObject, asString, parseDocument } from './document.ts';
import type { ArchivedDocument, ArchivedImage, ArchivedIndex, ArchiveSink } from './types.ts';

const MAX_MANIFESTS = 1000;
const MAX_LAYERS = 512;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_INDEX_DEPTH = 3;
const indexTypes: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
// What buildx stores beside an image to say how it was built: no image itself.
const REFERENCE_TYPE = 'vnd.docker.reference.type';
const nameAnnotations = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

interface Place {
  readonly names: readonly string[];
  readonly depth: number;
  /** Of an index that the layout names, while its manifests are read. */
  readonly index: (ArchivedIndex & { readonly members: ArchivedDocument[] }) | undefined;
}

interface Pointer {
  /** True for what says how an image was built: no image itself. */
  readonly isAttestation: boolean;
  readonly mediaType: string;
  readonly digest: string;
  readonly names: readonly string[];
}

/** The images of an index.json; entries of other platforms whose blobs the archive lacks are left out. */
export async function readOciLayout(
  bytes: Uint8Array,
  index: ArchiveIndex,
  sink: ArchiveSink,
): Promise<readonly ArchivedImage[]> {
  const reader = new LayoutReader(index, sink);
  await reader.readIndex(bytes, { names: [], depth: 0, index: undefined });
  return reader.images;
}

class LayoutReader {
  readonly images: ArchivedImage[] = [];
  readonly #index: ArchiveIndex;
  readonly #sink: ArchiveSink;

  constructor(index: ArchiveIndex, sink: ArchiveSink) {
    this.#index = index;
    this.#sink = sink;
  }

  async readIndex(bytes: Uint8Array, place: Place): Promise<void> {
    if (place.depth > MAX_INDEX_DEPTH)
      throw new EngineError('InvalidArgument', 'invalid archive: indexes nest too deeply');
    const root = asObject(parseDocument(bytes, 'index.json'), 'index.json');
    const pointers = asList(root['manifests'], 'manifests', MAX_MANIFESTS).map(parsePointer);
    for (const pointer of pointers) await this.#readEntry(pointer, place);
    if (this.images.length > MAX_MANIFESTS)
      throw new EngineError('InvalidArgument', 'invalid archive: too many images');
  }

  async #readEntry(pointer: Pointer, { names: outerNames, depth, index }: Place): Promise<void> {
    const blob = this.#index.blobByDigest(pointer.digest);
    const isNested = depth > 0;
    if (!blob && (isNested || pointer.isAttestation)) return;
    if (!blob)
      throw new EngineError(
        'InvalidArgument',
        `invalid archive: no blob ${pointer.digest.slice(0, 71)} in it`,
      );
    const names = pointer.names.length > 0 ? pointer.names : outerNames;
    const bytes = await this.#sink.read(blob, MAX_MANIFEST_BYTES);
    const document = { ...blob, mediaType: pointer.mediaType };
    if (indexTypes.has(pointer.mediaType))
      await this.readIndex(bytes, {
        names,
        depth: depth + 1,
        index: isNested ? undefined : { ...document, members: [] },
      });
    else if (pointer.isAttestation) this.#readAttestation(document, bytes, index);
    else this.#readManifest(document, bytes, { names, index });
  }

  // Nobody runs it: what is not as it should be is left out, and so is the index as a whole.
  #readAttestation(document: ArchivedDocument, bytes: Uint8Array, index: Place['index']): void {
    try {
      if (this.#blobsOf(bytes)) index?.members.push(document);
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== 'InvalidArgument') throw error;
    }
  }

  #readManifest(
    manifest: ArchivedDocument,
    bytes: Uint8Array,
    { names, index }: Pick<Place, 'names' | 'index'>,
  ): void {
    const blobs = this.#blobsOf(bytes);
    if (!blobs)
      throw new EngineError('InvalidArgument', `invalid archive: blobs of ${manifest.digest} are not in it`);
    index?.members.push(manifest);
    this.images.push({ ...blobs, names, manifest, index });
  }

  /** What a manifest refers to; undefined where the archive does not have all of it. */
  #blobsOf(bytes: Uint8Array): Pick<ArchivedImage, 'config' | 'layers'> | undefined {
    const root = asObject(parseDocument(bytes, 'manifest'), 'manifest');
    const config = this.#index.blobByDigest(digestOf(root['config']));
    const digests = asList(root['layers'], 'layers', MAX_LAYERS).map(digestOf);
    const layers = digests.flatMap((digest) => this.#index.blobByDigest(digest) ?? []);
    return config && layers.length === digests.length ? { config, layers } : undefined;
  }
}

function parsePointer(value: unknown): Pointer {
  const entry = asObject(value, 'manifests');
  const annotations = asObject(entry['annotations'] ?? {}, 'annotations');
  // A bare tag ("latest") says nothing of the repository, so only full names count.
  const name = nameAnnotations
    .map((key) => annotations[key])
    .find((one): one is string => typeof one === 'string' && /[:/]/.test(one));
  return {
    isAttestation: annotations[REFERENCE_TYPE] !== undefined,
    mediaType: asString(entry['mediaType'] ?? '', 'mediaType'),
    digest: asString(entry['digest'], 'digest'),
    names: name === undefined ? [] : [name],
  };
}

function digestOf(descriptor: unknown): string {
  return asString(asObject(descriptor, 'descriptor')['digest'], 'digest');
}
