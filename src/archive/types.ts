import type { Readable } from 'node:stream';
import type { LayerCompression } from '../oci/media-types.ts';

/** A blob of an archive: its bytes went to the sink as they came. */
export interface ArchivedBlob {
  readonly digest: string;
  readonly size: number;
}

/** A document of an archive that says what it is. */
export interface ArchivedDocument extends ArchivedBlob {
  readonly mediaType: string;
}

/** An index that an archive names, and those of its manifests whose blobs the archive has, attestations included. */
export interface ArchivedIndex extends ArchivedDocument {
  readonly members: readonly ArchivedDocument[];
}

/** One image of an archive, before anybody has looked into its configuration. */
export interface ArchivedImage {
  readonly config: ArchivedBlob;
  /** Lowest first. */
  readonly layers: readonly ArchivedBlob[];
  /** Names as the archive has them, not validated. */
  readonly names: readonly string[];
  /** The manifest where the archive has one (an OCI layout); a docker archive has none. */
  readonly manifest: ArchivedDocument | undefined;
  /** The index that the manifest is named by, where it is one. */
  readonly index: ArchivedIndex | undefined;
}

/** Where an archive's blobs go while it is read. */
export interface ArchiveSink {
  /** Takes one blob whole before the promise resolves. */
  write(source: AsyncIterable<Uint8Array>): Promise<ArchivedBlob>;
  /** Bytes of a blob that was written, at most `maxBytes`; InvalidArgument when it is larger. */
  read(blob: ArchivedBlob, maxBytes: number): Promise<Uint8Array>;
}

/** A blob of an image to be saved. */
export interface SavedBlob {
  readonly digest: string;
  readonly size: number;
}

/** A document to be saved. */
export interface SavedDocument extends SavedBlob {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** One image to be saved, with the names that go along. */
export interface ImageToSave {
  readonly manifest: SavedDocument;
  /** The index that the names lead to, with all of its manifests that are to be saved and what they refer to. */
  readonly index?: SavedDocument & { readonly blobs: readonly SavedBlob[] };
  readonly config: SavedBlob;
  /** Lowest first. */
  readonly layers: readonly SavedBlob[];
  readonly names: readonly {
    /** As users see it, without the tag. */
    readonly repository: string;
    readonly tag: string;
    /** Normalised, with the tag. */
    readonly fullName: string;
  }[];
}

/** A blob in a form that containerd can unpack. */
export interface StorableBlob {
  readonly compression: LayerCompression;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Reads and writes image archives. */
export interface ImageArchives {
  /** What is perhaps a layer, as it comes; what only dockerd can unpack (xz, bzip2) is unpacked on the way. */
  toStorable(source: AsyncIterable<Uint8Array>): Promise<StorableBlob>;
  /**
   * Reads a docker archive or an OCI layout, plain or compressed, whatever the order of its entries;
   * InvalidArgument when it is not one. Nothing of it is kept in memory but names and manifests.
   */
  readImages(tar: Readable, sink: ArchiveSink, signal: AbortSignal): Promise<readonly ArchivedImage[]>;
  /** A tar with the images, which is a docker archive and an OCI layout in one; blobs are read as they are needed. */
  writeImages(images: readonly ImageToSave[], read: (digest: string) => AsyncIterable<Uint8Array>): Readable;
}
