import { EngineError } from '../../errors.ts';
import type { LayerCompression } from '../../oci/media-types.ts';

const MAGIC_BYTES = 6;
const REFUSED = [
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
] as const;

/** Passes bytes on and tells afterwards how they were compressed. */
export class CompressionSniffer implements AsyncIterable<Uint8Array> {
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

  /** InvalidArgument for what containerd cannot unpack. */
  compression(): LayerCompression {
    for (const [name, magic] of REFUSED)
      if (this.#head.subarray(0, magic.length).equals(magic))
        throw new EngineError(
          'InvalidArgument',
          `archive is compressed with ${name}: use gzip, zstd or no compression`,
        );
    if (this.#head.length >= 2 && this.#head.readUInt16BE() === 0x1f8b) return 'gzip';
    return this.#head.length >= MAGIC_BYTES && this.#head.readUInt32LE() === 0xfd2fb528 ? 'zstd' : 'none';
  }
}
