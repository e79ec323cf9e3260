/** Most bytes of a probe's output that are kept, as in dockerd. */
const MAX_OUTPUT_BYTES = 4096;

/** The beginning of a probe's output; what is more is dropped and marked by three dots. */
export interface HealthOutput {
  /** The data is copied. */
  add(data: Buffer): void;
  text(): string;
}

/** Makes an empty output. */
export function createHealthOutput(): HealthOutput {
  const parts: Buffer[] = [];
  let room = MAX_OUTPUT_BYTES;
  let isCut = false;
  return {
    add(data) {
      const kept = Buffer.from(data.subarray(0, room));
      isCut ||= kept.length < data.length;
      room -= kept.length;
      if (kept.length > 0) parts.push(kept);
    },
    text: () => `${Buffer.concat(parts).toString('utf8')}${isCut ? '...' : ''}`,
  };
}
