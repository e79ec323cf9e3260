import { ShapeError } from '../../errors.ts';
import type { JsonNumber, JsonObject, JsonValue } from './strict-json.ts';

/** A request as it was decoded, and the members of its body that berth does not know, as dotted paths. */
export interface Decoded<T> {
  readonly request: T;
  readonly ignored: readonly string[];
}

/** Where in a body a value is, and what was found there that nobody knows. */
export interface Place {
  /** The structure that the body is decoded into, for dockerd's error texts. */
  readonly struct: string;
  /** Dotted path from the body's root, empty at the root. */
  readonly path: string;
  /** Paths of unknown members that ask for something; the caller tells the client. */
  readonly ignored: string[];
}

/** Turns a member (undefined when absent) into a T; null counts as absent, and a wrong type is InvalidArgument. */
export type Decoder<T> = (value: JsonValue | undefined, place: Place) => T;

/** A decoder for each member; a member that decodes to undefined is left out of the object. */
export type Fields<T> = { readonly [K in keyof T]-?: Decoder<T[K] | undefined> };

/** What a closed schema does with members it does not know. */
export interface UnknownMembers {
  /** True for names that sound as if they widened rights: these are refused, not ignored. */
  readonly isRefused?: (name: string) => boolean;
  /** Members of the same object that another decoder takes. */
  readonly knownElsewhere?: readonly string[];
}

function isNumber(value: JsonValue): value is JsonNumber {
  return value !== null && typeof value === 'object' && 'number' in value;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function kindOf(value: JsonValue): string {
  if (typeof value === 'string') {
    return 'string';
  }
  if (typeof value === 'boolean') {
    return 'bool';
  }
  if (value === null) {
    return 'null';
  }
  if (isNumber(value)) {
    return 'number';
  }
  return isArray(value) ? 'array' : 'object';
}

function mismatch(value: JsonValue, place: Place, type: string): ShapeError {
  const target = place.path === '' ? 'Go value' : `Go struct field ${place.struct}.${place.path}`;
  const says = (kind: string): string =>
    `invalid JSON: json: cannot unmarshal ${kind} into ${target} of type ${type}`;
  const kind = kindOf(value);
  const isNumeric = value !== null && typeof value === 'object' && isNumber(value);
  return new ShapeError(says(isNumeric ? `number ${value.number}` : kind), {
    field: place.path,
    reason: says(kind),
  });
}

function within(place: Place, name: string): Place {
  return { ...place, path: place.path === '' ? name : `${place.path}.${name}` };
}

function refuse(place: Place, message: string): ShapeError {
  return new ShapeError(`invalid JSON: ${place.path}: ${message}`, { field: place.path });
}

/** A string, '' when absent; NUL is refused, for no consumer of these strings can carry it. */
export const string: Decoder<string> = (value, place) => {
  if (value === undefined || value === null) {
    return '';
  }
  if (typeof value !== 'string') {
    throw mismatch(value, place, 'string');
  }
  if (value.includes('\0')) {
    throw refuse(place, 'a string must not contain a NUL character');
  }
  return value;
};

/** A boolean, false when absent. */
export const bool: Decoder<boolean> = (value, place) => {
  if (value === undefined || value === null) {
    return false;
  }
  if (typeof value !== 'boolean') {
    throw mismatch(value, place, 'bool');
  }
  return value;
};

const INTEGER = /^-?[0-9]+$/;

/** An integer between the bounds, 0 when absent; `type` is the name that dockerd's error gives. */
export function integer(type: string, min: number, max: number): Decoder<number> {
  return (value, place) => {
    if (value === undefined || value === null) {
      return 0;
    }
    if (typeof value !== 'object' || !isNumber(value) || !INTEGER.test(value.number)) {
      throw mismatch(value, place, type);
    }
    const number = Number(value.number);
    if (number < min || number > max) {
      throw mismatch(value, place, type);
    }
    return number === 0 ? 0 : number;
  };
}

/** Integers that a number holds exactly: dockerd's int64 without the values nobody can mean. */
export const int64 = integer('int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);

/** A list, null when absent; null is no element. */
export function list<T>(item: Decoder<T>): Decoder<readonly T[] | null> {
  return (value, place) => {
    if (value === undefined || value === null) {
      return null;
    }
    if (!isArray(value)) {
      throw mismatch(value, place, '[]string');
    }
    return value.map((one) => {
      if (one === null) {
        throw mismatch(one, place, 'string');
      }
      return item(one, place);
    });
  };
}

/** A list of strings for which one bare string may stand, as clients have sent it since the first API. */
export const stringOrList: Decoder<readonly string[] | null> = (value, place) =>
  typeof value === 'string' ? [string(value, place)] : list(string)(value, place);

/** A mapping with any names, null when absent; the object has no prototype, so every name is data. */
export function map<T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>> | null> {
  return (value, place) => {
    if (value === undefined || value === null) {
      return null;
    }
    const entries = membersOf(value, place, 'map[string]string');
    const result = Object.create(null) as Record<string, T>;
    for (const [name, member] of entries) {
      string(name, place);
      result[name] = item(member, within(place, name));
    }
    return result;
  };
}

/** An object with known members; absent counts as empty. */
export function object<T>(fields: Fields<T>, unknown: UnknownMembers = {}): Decoder<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const known = new Set<string>([...names, ...(unknown.knownElsewhere ?? [])]);
  const spellings = new Map([...known].map((name) => [fold(name), name]));
  return (value, place) => {
    const members: JsonObject =
      value === undefined || value === null ? new Map() : membersOf(value, place, 'struct');
    for (const [name, member] of members) {
      if (!known.has(name)) {
        noteUnknown({ name, member, spelling: spellings.get(fold(name)), unknown }, place);
      }
    }
    const decoded: [string, unknown][] = [];
    for (const name of names) {
      const field = fields[name](members.get(name), within(place, name));
      if (field !== undefined) {
        decoded.push([name, field]);
      }
    }
    // Fields<T> has a decoder for every member of T, so the entries are a T.
    return Object.fromEntries(decoded) as T;
  };
}

/** The same value or undefined when the member is absent or null. */
export function optional<T>(decoder: Decoder<T>): Decoder<T | undefined> {
  return (value, place) => (value === undefined || value === null ? undefined : decoder(value, place));
}

/** The same value or null when the member is absent or null. */
export function nullable<T>(decoder: Decoder<T>): Decoder<T | null> {
  return (value, place) => (value === undefined || value === null ? null : decoder(value, place));
}

/** The decoder's value, or undefined (left out) when it is empty, as Go's omitempty. */
export function omitEmpty<T>(decoder: Decoder<T | null>): Decoder<T | undefined> {
  return (value, place) => {
    const decoded = decoder(value, place);
    return decoded === null || isEmpty(decoded) ? undefined : decoded;
  };
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    return Object.keys(value).length === 0;
  }
  return value === '' || value === 0 || value === false;
}

function membersOf(value: JsonValue, place: Place, type: string): JsonObject {
  if (value === null || typeof value !== 'object' || isNumber(value) || isArray(value)) {
    throw mismatch(value, place, type);
  }
  return value;
}

/** Upper then lower case: also maps what folds together outside ASCII (long s, Kelvin sign), as Go's decoder does. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}

function asksForNothing(member: JsonValue): boolean {
  if (member === null || member === false || member === '') {
    return true;
  }
  if (typeof member !== 'object') {
    return false;
  }
  if (isNumber(member)) {
    return Number(member.number) === 0;
  }
  return isArray(member) ? member.length === 0 : member.size === 0;
}

function noteUnknown(
  found: { name: string; member: JsonValue; spelling: string | undefined; unknown: UnknownMembers },
  place: Place,
): void {
  const path = within(place, found.name).path;
  if (found.spelling !== undefined) {
    throw new ShapeError(
      `invalid JSON: unknown field ${JSON.stringify(path)}: names are case-sensitive, write ${JSON.stringify(found.spelling)}`,
      { field: path },
    );
  }
  if (asksForNothing(found.member)) {
    return;
  }
  if (found.unknown.isRefused?.(found.name) === true) {
    throw new ShapeError(`invalid JSON: unknown field ${JSON.stringify(path)}`, { field: path });
  }
  place.ignored.push(path);
}
