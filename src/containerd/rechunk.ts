/** Regroups bytes into chunks of exactly `chunkBytes` (the last may be shorter), leaving out the first `skipBytes`. */
export async function* rechunk(
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number,
  skipBytes: number,
): AsyncGenerator<Uint8Array, void> {
  let toSkip = skipBytes;
  let parts: Uint8Array[] = [];
  let waitingBytes = 0;
  for await (const bytes of source) {
    let rest = bytes.subarray(Math.min(toSkip, bytes.length));
    toSkip -= bytes.length - rest.length;
    while (rest.length > 0) {
      const part = rest.subarray(0, chunkBytes - waitingBytes);
      rest = rest.subarray(part.length);
      parts.push(part);
      waitingBytes += part.length;
      if (waitingBytes < chunkBytes) continue;
      yield join(parts);
      parts = [];
      waitingBytes = 0;
    }
  }
  if (waitingBytes > 0) yield join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only ? only : Buffer.concat(parts);
}
