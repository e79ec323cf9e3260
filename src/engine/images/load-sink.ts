import type { ArchiveSink } from '../../archive/types.ts';
import { EngineError } from '../../errors.ts';
import type { LayerCompression } from '../../oci/media-types.ts';
import { readSmallBlob, writeUnknownBlob, type ImageWork } from './image-work.ts';

/** Takes an archive's blobs into the content store as they come, and remembers how each is compressed. */
export interface LoadSink extends ArchiveSink {
  compressionOf(digest: string): LayerCompression;
}

/** Makes a sink for one load. */
export function createLoadSink(work: ImageWork): LoadSink {
  const compressions = new Map<string, LayerCompression>();
  return {
    async write(source) {
      const { compression, bytes } = await work.job.archives.toStorable(source);
      const written = await writeUnknownBlob(work, bytes);
      compressions.set(written.digest, compression);
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
