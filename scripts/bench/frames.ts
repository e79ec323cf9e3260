const HEADER_BYTES = 8;

/** Takes Docker's multiplexed stream in any pieces and hands on what is in its frames, copying nothing. */
export function createUnframer(take: (payload: Buffer) => void): (chunk: Buffer) => void {
  let header = Buffer.alloc(0);
  let left = 0;
  return (chunk) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (left > 0) {
        const payload = rest.subarray(0, left);
        left -= payload.length;
        rest = rest.subarray(payload.length);
        take(payload);
        continue;
      }
      const missing = HEADER_BYTES - header.length;
      header = Buffer.concat([header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (header.length < HEADER_BYTES) return;
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
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
