const HEADER_BYTES = 8;

/**
 * Takes Docker's multiplexed stream in any pieces and hands on what is in its frames. A log has a frame for each line: it
 * is to be the daemon that is measured, not this, so nothing is copied but a header that lies in two pieces.
 */
export function createUnframer(take: (payload: Buffer) => void): (chunk: Buffer) => void {
  let begun = Buffer.alloc(0);
  let left = 0;
  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const end = Math.min(at + left, chunk.length);
        left -= end - at;
        take(chunk.subarray(at, end));
        at = end;
        continue;
      }
      const missing = HEADER_BYTES - begun.length;
      if (missing === HEADER_BYTES && chunk.length - at >= HEADER_BYTES) left = chunk.readUInt32BE(at + 4);
      else {
        begun = Buffer.concat([begun, chunk.subarray(at, at + missing)]);
        if (begun.length < HEADER_BYTES) return;
        left = begun.readUInt32BE(4);
        begun = Buffer.alloc(0);
      }
      at += missing;
    }
  };
}

/** Counts bytes from when the first ones come. */
export interface Meter {
  readonly take: (chunk: Buffer) => void;
  /** MB/s from the first bytes to now; throws unless that many bytes have come. */
  readonly rate: (expectedBytes: number) => number;
}

/** A meter of a stream. */
export function createMeter(): Meter {
  let bytes = 0;
  let firstAt = 0;
  return {
    take: (chunk) => {
      if (bytes === 0) firstAt = performance.now();
      bytes += chunk.length;
    },
    rate: (expectedBytes) => {
      if (bytes !== expectedBytes)
        throw new Error(`${String(bytes)} bytes came, not ${String(expectedBytes)}`);
      return bytes / 1e3 / (performance.now() - firstAt);
    },
  };
}
