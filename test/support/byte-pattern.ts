import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

const BLOCK_BYTES = 256 * 1024;

/** Bytes that repeat in no short period: a lost, doubled or moved piece changes the hash. */
function* blocks(bytes: number): Generator<Buffer> {
  let state = 1;
  for (let left = bytes; left > 0; left -= BLOCK_BYTES) {
    const block = Buffer.allocUnsafe(Math.min(left, BLOCK_BYTES));
    for (let at = 0; at + 4 <= block.length; at += 4) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      block.writeUInt32LE(state, at);
    }
    yield block;
  }
}

/** That many bytes (a multiple of four) of the pattern, as a stream. */
export function patternStream(bytes: number): Readable {
  return Readable.from(blocks(bytes));
}

/** The hash that all of them have. */
export function hashOfPattern(bytes: number): string {
  const hash = createHash('sha256');
  for (const block of blocks(bytes)) hash.update(block);
  return hash.digest('hex');
}
