import type { ArchiveSink } from '../../archive/types.ts';
import { EngineError } from '../../errors.ts';
import type { LayerCompression } from '../../oci/media-types.ts';
import { readSmallBlob, writeUnknownBlob, type ImageWork } from './image-work.ts';
import type { UnpackAhead } from './unpack-ahead.ts';

/** Takes an archive's blobs into the content store as they come, and remembers how each is compressed. */
export interface LoadSink extends ArchiveSink {
  compressionOf(digest: string): LayerCompression;
}

const MAX_KEPT_BYTES = 256 * 1024;
const BRACE = '{'.charCodeAt(0);

/** Makes a sink for one load, which tells of what has arrived. */
export function createLoadSink(work: ImageWork, ahead: Pick<UnpackAhead, 'arrived'>): LoadSink {
  const compressions = new Map<string, LayerCompression>();
  return {
    async write(source) {
      const { compression, bytes } = await work.job.archives.toStorable(source);
      const document: Uint8Array[] = [];
      const written = await writeUnknownBlob(work, keepDocument(bytes, document));
      compressions.set(written.digest, compression);
      const isDocument = written.size <= MAX_KEPT_BYTES && document.length > 0;
      if (compression === 'none') ahead.arrived(written, isDocument ? Buffer.concat(document) : undefined);
      return written;
    },
    async read(blob, maxBytes) {
      if (blob.size > maxBytes)
        throw new EngineError(
          'InvalidArgument',
          `invalid archive: blob ${blob.digest} is larger than ${maxBytes} bytes`,
        );
      return readSmallBlob(work.store, blob.digest, maxBytes);
    },
    compressionOf: (digest) => compressions.get(digest) ?? 'none',
  };
}

/** Passes the bytes on, and keeps them while they can be those of a small JSON document. */
async function* keepDocument(
  source: AsyncIterable<Uint8Array>,
  kept: Uint8Array[],
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of source) {
    const isBegun = size > 0;
    size += chunk.byteLength;
    if (size <= MAX_KEPT_BYTES && (isBegun ? kept.length > 0 : chunk[0] === BRACE)) kept.push(chunk);
    else kept.length = 0;
    yield chunk;
  }
}
