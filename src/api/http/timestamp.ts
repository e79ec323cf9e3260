/** Docker's own form of a time in a query, `<seconds>[.<fraction>]` since the epoch, in nanoseconds; undefined for any other text. */
export function parseTimestamp(text: string): bigint | undefined {
  const [, seconds, fraction = ''] = /^(\d{1,11})(?:\.(\d{1,18}))?$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
