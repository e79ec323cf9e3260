import { ShapeError } from '../../errors.ts';

/** A query parameter that is JSON; InvalidArgument where it is not. */
export function parseJsonText(name: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ShapeError(`error reading ${name}: not JSON`, { cause });
  }
}

/** True for what JSON calls an object. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
