import { decompressAs, sniffCompression } from '../host/decompress.ts';
import type { StorableBlob } from './types.ts';

/** See ImageArchives. */
export async function toStorable(source: AsyncIterable<Uint8Array>): Promise<StorableBlob> {
  const { compression, bytes } = await sniffCompression(source);
  return compression === 'xz' || compression === 'bzip2'
    ? { compression: 'none', bytes: decompressAs(compression, bytes) }
    : { compression, bytes };
}
