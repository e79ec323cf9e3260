import { ShapeError } from '../errors.ts';
import { compileLinearRegexp } from '../lib/linear-regexp.ts';

/** Docker's `filters` parameter: each name with its values. Values of one name widen the answer, but those of `label`. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** InvalidArgument in dockerd's words for a name that is not among those accepted. */
export function checkFilterNames(filters: Filters, accepted: readonly string[]): void {
  for (const name of filters.keys())
    if (!accepted.includes(name)) throw new ShapeError(`invalid filter '${name}'`);
}

/** True when the filter is absent or has exactly this value. */
export function matchesExactly(filters: Filters, name: string, value: string): boolean {
  const values = filters.get(name) ?? [];
  return values.length === 0 || values.includes(value);
}

/** True when the filter is absent, or one of its values is the text or a regular expression found in it. */
export function matchesPattern(filters: Filters, name: string, text: string): boolean {
  if (matchesExactly(filters, name, text)) return true;
  return (filters.get(name) ?? []).some((pattern) => compileLinearRegexp(pattern)?.test(text) === true);
}

function hasLabel(labels: ReadonlyMap<string, string>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals === -1) return labels.has(wanted);
  return labels.get(wanted.slice(0, equals)) === wanted.slice(equals + 1);
}

/** True when all of `label` (`key` or `key=value`) are there, and not all of `label!`. */
export function matchesLabels(filters: Filters, labels: Readonly<Record<string, string>> | null): boolean {
  const present = new Map(Object.entries(labels ?? {}));
  const unwanted = filters.get('label!') ?? [];
  return (
    (filters.get('label') ?? []).every((wanted) => hasLabel(present, wanted)) &&
    (unwanted.length === 0 || !unwanted.every((one) => hasLabel(present, one)))
  );
}

const TRUE_WORDS = ['1', 'true'];
const FALSE_WORDS = ['0', 'false'];

/** A boolean filter's value, undefined when absent; InvalidArgument in dockerd's words for anything else. */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filters.get(name) ?? [];
  if (values.length === 0) return undefined;
  const isTrue = values.some((value) => TRUE_WORDS.includes(value));
  const isFalse = values.some((value) => FALSE_WORDS.includes(value));
  if (isTrue === isFalse) throw new ShapeError(`invalid filter '${name}=[${values.join(' ')}]'`);
  return isTrue;
}

const DURATION_UNIT_NS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

function durationNs(text: string): bigint | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return undefined;
  const sumNs = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (DURATION_UNIT_NS.get(unit ?? '') ?? 0),
    0,
  );
  return Number.isFinite(sumNs) ? BigInt(Math.round(sumNs)) : undefined;
}

/** An RFC 3339 time, or a part of one, or seconds since the epoch, in nanoseconds; undefined for anything else. */
export function parseTimestampNs(text: string): bigint | undefined {
  const unix = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (unix) return BigInt(unix[1] ?? '') * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'));
  const iso = /^\d{4}-\d\d-\d\d(?:T\d\d(?::\d\d(?::\d\d(\.\d{1,9})?)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (!iso) return undefined;
  // Date.parse knows neither an hour alone nor nanoseconds; a time without a zone is the daemon's local one.
  const whole = text.replace(iso[1] ?? '', '').replace(/T(\d\d)(?=$|Z|[+-])/, 'T$1:00');
  const ms = Date.parse(whole.includes('T') ? whole : `${whole}T00:00`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt((iso[1] ?? '.').slice(1).padEnd(9, '0'));
}

/** The moment of the `until` filter (a time, or how long ago) in nanoseconds since the epoch, undefined when absent. */
export function untilFilter(filters: Filters, nowNs: bigint): bigint | undefined {
  if ((filters.get('until') ?? []).length > 1) throw new ShapeError('more than one until filter specified');
  return untilMoments(filters, nowNs)[0];
}

/** The moments of all `until` filters, as `untilFilter` reads one; none where there is none. */
export function untilMoments(filters: Filters, nowNs: bigint): readonly bigint[] {
  return (filters.get('until') ?? []).map((value) => parseMoment(value, nowNs));
}

function parseMoment(value: string, nowNs: bigint): bigint {
  const ago = durationNs(value);
  const untilNs = ago === undefined ? parseTimestampNs(value) : nowNs - ago;
  if (untilNs === undefined)
    throw new ShapeError(`failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return untilNs;
}

/** The moment of `until`, as `untilFilter`, of a prune that takes it and labels alone. */
export function pruneFilters(filters: Filters, nowNs: bigint): bigint | undefined {
  checkFilterNames(filters, ['label', 'label!', 'until']);
  return untilFilter(filters, nowNs);
}
