import { describe, expect, it } from 'vitest';
import {
  bool,
  int64,
  integer,
  list,
  map,
  nullable,
  object,
  omitEmpty,
  optional,
  string,
  stringOrList,
  type Decoder,
  type Place,
} from './decode.ts';
import { parseStrictJson } from './strict-json.ts';

function decode<T>(decoder: Decoder<T>, text: string): T {
  return decoder(parseStrictJson(text), { struct: 'Body', path: 'Field', ignored: [] });
}

describe('scalars', () => {
  it.each<[string, Decoder<unknown>, string, unknown]>([
    ['string', string, '"a"', 'a'],
    ['null string', string, 'null', ''],
    ['bool', bool, 'true', true],
    ['null bool', bool, 'null', false],
    ['int64', int64, '-5', -5],
    ['minus zero', int64, '-0', 0],
    ['largest exact integer', int64, '9007199254740991', Number.MAX_SAFE_INTEGER],
    ['nullable', nullable(bool), 'null', null],
    ['optional', optional(string), 'null', undefined],
    ['empty', omitEmpty(string), '""', undefined],
    ['not empty', omitEmpty(int64), '3', 3],
  ])('%s', (_, ...[decoder, text, expected]) => {
    expect(decode(decoder, text)).toBe(expected);
  });

  it.each<[string, Decoder<unknown>, string, string]>([
    ['string', string, '1', 'number 1 into Go struct field Body.Field of type string'],
    ['string', string, 'true', 'bool into Go struct field Body.Field of type string'],
    ['string', string, '{}', 'object into Go struct field Body.Field of type string'],
    ['bool', bool, '"true"', 'string into Go struct field Body.Field of type bool'],
    ['bool', bool, '1', 'number 1 into Go struct field Body.Field of type bool'],
    ['bool', bool, '[true]', 'array into Go struct field Body.Field of type bool'],
    ['int64', int64, '1.5', 'number 1.5 into Go struct field Body.Field of type int64'],
    ['int64', int64, '1e3', 'number 1e3 into Go struct field Body.Field of type int64'],
    [
      'int64',
      int64,
      '9007199254740993',
      'number 9007199254740993 into Go struct field Body.Field of type int64',
    ],
    ['int64', int64, '"1"', 'string into Go struct field Body.Field of type int64'],
    [
      'uint16',
      integer('uint16', 0, 65_535),
      '65536',
      'number 65536 into Go struct field Body.Field of type uint16',
    ],
    [
      'uint16',
      integer('uint16', 0, 65_535),
      '-1',
      'number -1 into Go struct field Body.Field of type uint16',
    ],
    ['list', list(string), '"a"', 'string into Go struct field Body.Field of type []string'],
    ['list', list(string), '["a",null]', 'null into Go struct field Body.Field of type string'],
    ['list', list(string), '{"0":"a","length":1}', 'object into Go struct field Body.Field of type []string'],
    ['map', map(string), '[]', 'array into Go struct field Body.Field of type map[string]string'],
    ['map', map(string), '{"a":1}', 'number 1 into Go struct field Body.Field.a of type string'],
  ])('%s refuses %s', (_, ...[decoder, text, message]) => {
    expect(() => decode(decoder, text)).toThrow(
      expect.objectContaining({
        kind: 'InvalidArgument',
        message: `invalid JSON: json: cannot unmarshal ${message}`,
      }),
    );
  });

  it.each<[string, Decoder<unknown>, string]>([
    ['a value', string, '"a\\u0000b"'],
    ['a name', map(string), '{"a\\u0000":"b"}'],
    ['a bare string', stringOrList, '"\\u0000"'],
  ])('refuses NUL in %s', (_, decoder, text) => {
    expect(() => decode(decoder, text)).toThrow('must not contain a NUL character');
  });
});

describe('collections', () => {
  it('take one string for a list of one where clients may', () => {
    expect(decode(stringOrList, '"a b"')).toEqual(['a b']);
    expect(decode(stringOrList, '["a","b"]')).toEqual(['a', 'b']);
    expect(decode(stringOrList, 'null')).toBeNull();
  });

  it('keep every name of a map as data', () => {
    const decoded = decode(map(string), '{"__proto__":"a","constructor":"b","toString":"c"}');
    expect(Object.entries(decoded ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['toString', 'c'],
    ]);
    expect(JSON.parse(JSON.stringify(decoded))).toHaveProperty('constructor', 'b');
    expect(Object.getPrototypeOf(decoded)).toBeNull();
  });
});

describe('object', () => {
  const inner = object<{ readonly Name: string; readonly Flag?: boolean }>(
    { Name: string, Flag: omitEmpty(bool) },
    { isRefused: (name) => name.startsWith('Cap') },
  );

  function ignoredIn(text: string): readonly string[] {
    const place: Place = { struct: 'Body', path: 'Outer', ignored: [] };
    inner(parseStrictJson(text), place);
    return place.ignored;
  }

  it('has every member, without those that Go omits when empty', () => {
    expect(decode(inner, '{}')).toEqual({ Name: '' });
    expect(decode(inner, '{"Name":"a","Flag":true}')).toEqual({ Name: 'a', Flag: true });
    expect(decode(inner, 'null')).toEqual({ Name: '' });
  });

  it('notes unknown members that ask for something', () => {
    expect(ignoredIn('{"A":1,"B":0,"C":"","D":[],"E":{},"F":false,"G":null,"H":{"x":1}}')).toEqual([
      'Outer.A',
      'Outer.H',
    ]);
  });

  it.each(['name', 'NAME', 'nAME'])('refuses %s and says how it is written', (name) => {
    expect(() => ignoredIn(`{"${name}":null}`)).toThrow(
      `invalid JSON: unknown field "Outer.${name}": names are case-sensitive, write "Name"`,
    );
  });

  it('refuses unknown members that it is told to refuse, unless they ask for nothing', () => {
    expect(() => ignoredIn('{"Caps":["ALL"]}')).toThrow('invalid JSON: unknown field "Outer.Caps"');
    expect(ignoredIn('{"Caps":[]}')).toEqual([]);
  });
});
