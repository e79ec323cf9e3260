// Requests that nobody has thought of, the same at every run.

/** Numbers from 0 up to the limit, by a seed: mulberry32. */
export function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** What `createRandom` makes. */
export type Random = ReturnType<typeof createRandom>;

/** Values of all kinds, most of them wrong in most places; a container that is called runs is meant to run. */
export const VALUES: readonly unknown[] = [
  null, true, false, 0, -1, 1, 1.5, 2 ** 53, 1e308, '', 'x', 'app', '\u0000', '\ud800', '../..', '/', 'a:b:c',
  '/proc/self/fd/3', 'host', 'container:runs', '__proto__', [], [null], ['x'], [''], [[]], {}, { x: 1 }, { '': '' },
  { '80/tcp': [{ HostPort: '80' }] }, ['a:/b', '/c:/d:ro'], [{ Type: 'bind', Source: '/', Target: '/h' }], 'x'.repeat(5000),
]; // prettier-ignore

/** One of a list. */
export function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[random(list.length)];
  if (found === undefined && list.length === 0) throw new Error('nothing to pick from');
  return found as T;
}

/** An object with some of the names, and any values. */
export function fields(random: Random, names: readonly string[], most: number): Record<string, unknown> {
  const count = random(most) + 1;
  const entries = Array.from({ length: count }, () => [pick(random, names), pick(random, VALUES)] as const);
  return Object.fromEntries(entries);
}

/** Sometimes breaks the text itself. */
export function damage(random: Random, text: string): string {
  const at = random(text.length);
  switch (random(8)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + pick(random, ['"', '{', ',', '\u0000', '\ud83d', '}}']) + text.slice(at);
    default:
      return text;
  }
}

/** Added to each seed: another number walks elsewhere (`BERTH_FUZZ_SEED=7`); without one the walk is always the same. */
export const SEED_SHIFT = Number(process.env['BERTH_FUZZ_SEED'] ?? 0);
