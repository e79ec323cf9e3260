/** Bytes in pieces, as they came. */
export interface ByteGroup {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
}

/** Groups bytes, uncopied, to exactly `groupedBytes` (the last may be shorter), leaving out the first `skipBytes`. */
export async function* groupBytes(
  source: AsyncIterable<Uint8Array>,
  groupedBytes: number,
  skipBytes: number,
): AsyncGenerator<ByteGroup, void> {
  let toSkip = skipBytes;
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    let rest = bytes.subarray(Math.min(toSkip, bytes.length));
    toSkip -= bytes.length - rest.length;
    while (rest.length > 0) {
      const part = rest.subarray(0, groupedBytes - length);
      rest = rest.subarray(part.length);
      parts.push(part);
      length += part.length;
      if (length < groupedBytes) continue;
      yield { parts, length };
      parts = [];
      length = 0;
    }
  }
  if (length > 0) yield { parts, length };
}
