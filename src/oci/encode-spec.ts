import type { OciRlimit, OciSpec } from './spec-types.ts';

/** The kernel's RLIM_INFINITY, 2^64-1, which the runtime reads as an unsigned 64-bit integer. */
const INFINITY_DIGITS = '18446744073709551615';

/** JSON of a spec or of a part of it, in the runtime's words. */
export function encodeSpec(part: unknown): string {
  // Inside a string a quote is escaped, so these patterns can only be members.
  return JSON.stringify(part)
    .replaceAll('"hard":"unlimited"', `"hard":${INFINITY_DIGITS}`)
    .replaceAll('"soft":"unlimited"', `"soft":${INFINITY_DIGITS}`);
}

/** Reads back what `encodeSpec` wrote. */
export function decodeSpec(text: string): OciSpec {
  const spec = JSON.parse(text) as OciSpec;
  return { ...spec, process: { ...spec.process, rlimits: spec.process.rlimits.map(withInfinity) } };
}

function withInfinity(rlimit: OciRlimit): OciRlimit {
  return { ...rlimit, hard: infinityOf(rlimit.hard), soft: infinityOf(rlimit.soft) };
}

function infinityOf(limit: OciRlimit['hard']): OciRlimit['hard'] {
  return limit === Number(INFINITY_DIGITS) ? 'unlimited' : limit;
}
