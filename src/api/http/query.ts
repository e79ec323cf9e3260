import { EngineError } from '../../errors.ts';

/** Docker's `filters` parameter: each name with its values, in the order given. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Typed reader of a request's query; where a name comes twice, the first one counts, as in dockerd. */
export interface Query {
  has(name: string): boolean;
  /** The value, or the empty string. */
  string(name: string): string;
  /** Absent, empty, `0`, `no`, `false` and `none` are false, everything else is true. */
  bool(name: string): boolean;
  /** As `bool`, with an answer for an absent parameter. */
  boolOr(name: string, fallback: boolean): boolean;
  /** A decimal integer; undefined when absent or empty, InvalidArgument for anything else. */
  int(name: string): number | undefined;
  /** All values of a repeated parameter. */
  list(name: string): readonly string[];
  /** Docker's filters, in the form of a map or of lists; InvalidArgument when neither. */
  filters(): Filters;
}

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

function parseInteger(name: string, text: string): number {
  const value = /^[+-]?\d{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value))
    throw new EngineError(
      'InvalidArgument',
      `invalid value for ${name}: ${JSON.stringify(text)} is not an integer`,
    );
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
  const invalid = (cause?: unknown): EngineError =>
    new EngineError('InvalidArgument', 'invalid filter', { cause });
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
export function createQuery(search: string): Query {
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
    filters: () => parseFilters(string('filters')),
  };
}
