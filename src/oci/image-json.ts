import { EngineError } from '../errors.ts';

/** A JSON object whose members are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The value as an object without a prototype, so that `__proto__` is a member like any other; InvalidArgument otherwise. */
export function recordOf(value: unknown, name: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('InvalidArgument', `invalid ${name}: not an object`);
  return Object.assign(Object.create(null) as Record<string, unknown>, value);
}

/** The member as a string, empty where it is absent or null; InvalidArgument for any other type. */
export function optionalString(object: JsonObject, name: string): string {
  const value = object[name] ?? '';
  if (typeof value !== 'string') throw new EngineError('InvalidArgument', `invalid ${name}: not a string`);
  return value;
}

/** The value as a list of at most `limit` strings; InvalidArgument otherwise. */
export function stringArray(value: unknown, name: string, limit: number): readonly string[] {
  if (!Array.isArray(value) || value.length > limit || !value.every((item) => typeof item === 'string'))
    throw new EngineError('InvalidArgument', `invalid ${name}: not a list of strings`);
  return value;
}

/** The value as an object of at most `limit` strings; InvalidArgument otherwise. */
export function stringRecord(value: unknown, name: string, limit: number): Readonly<Record<string, string>> {
  const entries = Object.entries(recordOf(value, name));
  const isValid = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  if (entries.length > limit || !entries.every(isValid))
    throw new EngineError('InvalidArgument', `invalid ${name}: not an object of strings`);
  return Object.fromEntries(entries);
}
