import type { ArchiveSink } from '../../archive/types.ts';
import { EngineError } from '../../errors.ts';
import type { LayerCompression } from '../../oci/media-types.ts';
import { readSmallBlob, writeUnknownBlob, type ImageWork } from './image-work.ts';

/** Takes an archive's blobs into the content store as they come, and remembers how each is compressed. */
export interface LoadSink extends ArchiveSink {
  compressionOf(digest: string): LayerCompression;
}

const MAGIC_BYTES = 4;

/** Makes a sink for one load. */
export function createLoadSink(work: ImageWork): LoadSink {
  const compressions = new Map<string, LayerCompression>();
  return {
    async write(source) {
      const sniffer = new Sniffer(source);
      const written = await writeUnknownBlob(work, sniffer);
      compressions.set(written.digest, sniffer.compression());
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

class Sniffer implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  #head = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      if (this.#head.length < MAGIC_BYTES)
        this.#head = Buffer.concat([this.#head, chunk.subarray(0, MAGIC_BYTES)]);
      yield chunk;
    }
  }

  compression(): LayerCompression {
    if (this.#head.length >= 2 && this.#head.readUInt16BE() === 0x1f8b) return 'gzip';
    return this.#head.length >= MAGIC_BYTES && this.#head.readUInt32LE() === 0xfd2fb528 ? 'zstd' : 'none';
  }
}
