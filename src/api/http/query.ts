import { ShapeError } from '../../errors.ts';

/** Docker's `filters` parameter: each name with its values, in the order given. */
export type Filters = ReadonlyMap<string, readonly string[]>;

// Functions as properties: a reader of few names must not pass for one of more.
/**
 * Typed reader of a request's query, for the parameters that the endpoint has; where a name comes twice, the first one
 * counts, as in dockerd.
 */
export interface Query<P extends string> {
  readonly has: (name: P) => boolean;
  /** The value, or the empty string. */
  readonly string: (name: P) => string;
  /** Absent, empty, `0`, `no`, `false` and `none` are false, everything else is true. */
  readonly bool: (name: P) => boolean;
  /** As `bool`, with an answer for an absent parameter. */
  readonly boolOr: (name: P, fallback: boolean) => boolean;
  /** A decimal integer; undefined when absent or empty, InvalidArgument for anything else. */
  readonly int: (name: P) => number | undefined;
  /** All values of a repeated parameter. */
  readonly list: (name: P) => readonly string[];
  /** Docker's filters, in the form of a map or of lists; InvalidArgument when neither. */
  readonly filters: (name: P & 'filters') => Filters;
}

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

function parseInteger(name: string, text: string): number {
  const value = /^[+-]?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new ShapeError(`invalid value for ${name}: ${JSON.stringify(text)} is not an integer`);
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function filterValues(value: unknown): readonly string[] | undefined {
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string') ? value : undefined;
  if (!isRecord(value)) return undefined;
  // The map form is a set: its values are the names.
  return Object.values(value).every((one) => typeof one === 'boolean') ? Object.keys(value) : undefined;
}

function parseFilters(text: string): Filters {
  const invalid = (cause?: unknown): ShapeError => new ShapeError('invalid filter', { cause });
  let parsed: unknown;
  try {
    parsed = text === '' ? null : JSON.parse(text);
  } catch (cause) {
    throw invalid(cause);
  }
  if (parsed === null) return new Map();
  if (!isRecord(parsed)) throw invalid();
  return new Map(
    Object.entries(parsed).map(([name, value]) => {
      const values = filterValues(value);
      if (!values) throw invalid();
      return [name, values];
    }),
  );
}

/** Reads the query of a request's target (what follows `?`). */
export function createQuery(search: string): Query<string> {
  const params = new URLSearchParams(search);
  const string = (name: string): string => params.get(name) ?? '';
  return {
    has: (name) => params.has(name),
    string,
    bool: (name) => !FALSE_WORDS.has(string(name).trim().toLowerCase()),
    boolOr: (name, fallback) =>
      params.has(name) ? !FALSE_WORDS.has(string(name).trim().toLowerCase()) : fallback,
    int: (name) => (string(name) === '' ? undefined : parseInteger(name, string(name))),
    list: (name) => params.getAll(name),
    filters: (name) => parseFilters(string(name)),
  };
}
