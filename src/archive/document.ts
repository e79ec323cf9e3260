import { EngineError } from '../errors.ts';

/** JSON of a document in an archive; InvalidArgument when it is not JSON in UTF-8. */
export function parseDocument(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new EngineError('InvalidArgument', `invalid archive: ${name} is not JSON`, { cause });
  }
}

/** The value as an object; InvalidArgument otherwise. */
export function asObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.assign(Object.create(null) as Record<string, unknown>, value);
  throw new EngineError('InvalidArgument', `invalid archive: ${name} is not an object`);
}

/** The value as a list of at most `limit` items; InvalidArgument otherwise. */
export function asList(value: unknown, name: string, limit: number): readonly unknown[] {
  if (Array.isArray(value) && value.length <= limit) return value;
  throw new EngineError('InvalidArgument', `invalid archive: ${name} is not a list, or too long a one`);
}

/** The value as a string; InvalidArgument otherwise. */
export function asString(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new EngineError('InvalidArgument', `invalid archive: ${name} is not a string`);
}
