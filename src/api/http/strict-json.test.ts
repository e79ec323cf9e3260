import { describe, expect, it } from 'vitest';
import { parseJsonBody, parseStrictJson, type JsonValue } from './strict-json.ts';

function plain(value: JsonValue): unknown {
  if (value instanceof Map) {
    return [...(value as ReadonlyMap<string, JsonValue>)].map(([key, member]) => [key, plain(member)]);
  }
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plain) : value;
}

describe('parseStrictJson', () => {
  it.each([
    ['{}', []],
    [' [ ] ', []],
    [
      '{"a":1,"b":[true,false,null,"x"]}',
      [
        ['a', { number: '1' }],
        ['b', [true, false, null, 'x']],
      ],
    ],
    ['"\\u0041\\n\\/\\ud83d\\ude00"', 'A\n/😀'],
    ['"é😀"', 'é😀'],
    ['-0.5e+3', { number: '-0.5e+3' }],
    [
      '{"__proto__":1,"constructor":2}',
      [
        ['__proto__', { number: '1' }],
        ['constructor', { number: '2' }],
      ],
    ],
    ['{"Priv\\u0069leged":true}', [['Privileged', true]]],
  ])('reads %s', (text, expected) => {
    expect(plain(parseStrictJson(text))).toEqual(expected);
  });

  it.each([
    ['', 'invalid JSON: got EOF while reading request body'],
    ['  \n', 'invalid JSON: got EOF while reading request body'],
    ['{} {}', 'unexpected content after JSON'],
    ['{}x', 'unexpected content after JSON'],
    ['{', 'invalid JSON: unexpected EOF'],
    ['{"a":tru', "invalid JSON: invalid character 't' in literal true"],
    ['{"a"', 'invalid JSON: unexpected EOF'],
    ['{"a":1', 'invalid JSON: unexpected EOF'],
    ['[1', 'invalid JSON: unexpected EOF'],
    ['"abc', 'invalid JSON: unexpected EOF'],
    ['{a:1}', "invalid JSON: invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid JSON: invalid character ']' looking for beginning of value"],
    ['{"a" 1}', "invalid JSON: invalid character '1' after object key"],
    ['[1 2]', "invalid JSON: invalid character '2' after array element"],
    ['NaN', "invalid JSON: invalid character 'N' looking for beginning of value"],
    ['Infinity', "invalid JSON: invalid character 'I' looking for beginning of value"],
    ['01', 'unexpected content after JSON'],
    ['+1', "invalid JSON: invalid character '+' looking for beginning of value"],
    ['1e999', 'invalid JSON: number 1e999 is out of range'],
    ['// x\n{}', "invalid JSON: invalid character '/' looking for beginning of value"],
    ['{"a":1 /* x */}', "invalid JSON: invalid character '/' after object key:value pair"],
    ['\ufeff{}', "invalid JSON: invalid character '\\ufeff' looking for beginning of value"],
    ['"\\ud800"', 'invalid JSON: string with half of a surrogate pair'],
    ['"\\udc00\\ud800"', 'invalid JSON: string with half of a surrogate pair'],
    ['"\\x"', "invalid JSON: invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid JSON: invalid character '1' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid JSON: invalid character '\\u000a' in string literal"],
    ["'a'", "invalid JSON: invalid character ''' looking for beginning of value"],
    ['{"a":1,"a":1}', 'invalid JSON: duplicate key "a"'],
    ['{"a":{"b":1,"\\u0062":2}}', 'invalid JSON: duplicate key "b"'],
    ['{"HostConfig":{"Privileged":true},"HostConfig":{}}', 'invalid JSON: duplicate key "HostConfig"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseStrictJson(text)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument', message }),
    );
  });

  it('takes 64 levels and refuses more, however many', () => {
    expect(() => parseStrictJson('['.repeat(64) + ']'.repeat(64))).not.toThrow();
    for (const depth of [65, 100_000]) {
      expect(() => parseStrictJson('['.repeat(depth) + ']'.repeat(depth))).toThrow('exceeded max depth (64)');
      expect(() => parseStrictJson('{"a":'.repeat(depth))).toThrow('exceeded max depth (64)');
    }
  });

  it('refuses more values than any request has', () => {
    const members = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":0`).join(',');
    expect(() => parseStrictJson(`{${members}}`)).toThrow('more than 100000 values');
  });
});

describe('parseJsonBody', () => {
  it('reads UTF-8', () => {
    expect(parseJsonBody(new TextEncoder().encode('"ü"'))).toBe('ü');
  });

  it.each([
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'invalid JSON: invalid UTF-8'],
    [
      'a byte order mark',
      Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d),
      "invalid JSON: invalid character '\\ufeff'",
    ],
    ['an overlong slash', Uint8Array.of(0x22, 0xc0, 0xaf, 0x22), 'invalid JSON: invalid UTF-8'],
    ['UTF-8 of a surrogate', Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22), 'invalid JSON: invalid UTF-8'],
  ])('refuses %s', (_, body, message) => {
    expect(() => parseJsonBody(body)).toThrow(message);
  });
});
