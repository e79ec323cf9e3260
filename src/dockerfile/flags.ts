import { EngineError } from '../errors.ts';

/** What a flag takes: one value, true or false, or a value each time it stands there. */
export type FlagKind = 'string' | 'bool' | 'strings';

/** An instruction's flags, checked. */
export interface Flags {
  /** Empty where it is absent. */
  string(name: string): string;
  /** Undefined where it is absent. */
  bool(name: string): boolean | undefined;
  strings(name: string): readonly string[];
}

/** Reads `--name=value` flags; InvalidArgument for one that the instruction does not have, or that stands there twice. */
export function readFlags(words: readonly string[], known: Readonly<Record<string, FlagKind>>): Flags {
  const found = new Map<string, string[]>();
  for (const word of words) {
    const { name, value } = readFlag(word, known);
    const values = found.get(name) ?? [];
    if (values.length > 0 && known[name] !== 'strings')
      throw new EngineError('InvalidArgument', `duplicate flag specified: --${name}`);
    found.set(name, [...values, value]);
  }
  return {
    string: (name) => found.get(name)?.[0] ?? '',
    bool: (name) => (found.has(name) ? found.get(name)?.[0] === 'true' : undefined),
    strings: (name) => found.get(name) ?? [],
  };
}

function readFlag(
  word: string,
  known: Readonly<Record<string, FlagKind>>,
): { readonly name: string; readonly value: string } {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const kind = Object.hasOwn(known, name) ? known[name] : undefined;
  if (kind === undefined) throw new EngineError('InvalidArgument', `unknown flag: --${name}`);
  if (kind === 'bool') return { name, value: readBool(name, value) };
  if (value === undefined) throw new EngineError('InvalidArgument', `missing a value on flag: --${name}`);
  return { name, value };
}

function readBool(name: string, value: string | undefined): string {
  if (value === '') throw new EngineError('InvalidArgument', `missing a value on flag: --${name}`);
  const lower = (value ?? 'true').toLowerCase();
  if (lower === 'true' || lower === 'false') return lower;
  throw new EngineError('InvalidArgument', `expecting boolean value for flag --${name}, not: ${value ?? ''}`);
}
