import { describe, expect, it } from 'vitest';
import { createQuery } from './query.ts';

describe('query', () => {
  it.each([
    ['', false],
    ['v', false],
    ['v=', false],
    ['v=0', false],
    ['v=no', false],
    ['v=FALSE', false],
    ['v=none', false],
    ['v=%20false%20', false],
    ['v=1', true],
    ['v=True', true],
    ['v=yes', true],
    ['v=anything', true],
    ['v=true,false', true],
    ['v[]=1', false],
    ['v[toString]=1', false],
  ])('reads the boolean of "%s" as dockerd: %s', (search, expected) => {
    expect(createQuery(search).bool('v')).toBe(expected);
  });

  it('takes the first of two values, and its own answer for an absent boolean', () => {
    const query = createQuery('t=1&t=2&b=0');
    expect(query.int('t')).toBe(1);
    expect(query.list('t')).toEqual(['1', '2']);
    expect([query.boolOr('b', true), query.boolOr('c', true)]).toEqual([false, true]);
  });

  it.each([
    ['', undefined],
    ['n=', undefined],
    ['n=0', 0],
    ['n=-5', -5],
    ['n=%2B7', 7],
  ])('reads the integer of "%s"', (search, expected) => {
    expect(createQuery(search).int('n')).toBe(expected);
  });

  it.each(['x', '1.5', '1e3', '0x10', ' 1', '99999999999999999999', '9007199254740993', 'NaN'])(
    'refuses "%s" as an integer',
    (text) => {
      expect(() => createQuery(`n=${encodeURIComponent(text)}`).int('n')).toThrow(
        expect.objectContaining({ kind: 'InvalidArgument' }),
      );
    },
  );

  it.each([
    ['', []],
    ['null', []],
    ['{}', []],
    ['{"label":["a=b","c"]}', [['label', ['a=b', 'c']]]],
    ['{"label":{"a=b":true,"c":true}}', [['label', ['a=b', 'c']]]],
    ['{"__proto__":["x"]}', [['__proto__', ['x']]]],
  ])('reads filters %s', (text, expected) => {
    const filters = createQuery(`filters=${encodeURIComponent(text)}`).filters('filters');
    expect([...filters]).toEqual(expected);
  });

  it.each(['nope', '[]', '"x"', '1', '{"a":"b"}', '{"a":[1]}', '{"a":{"b":1}}', '{"a":null}'])(
    'refuses filters %s',
    (text) => {
      expect(() => createQuery(`filters=${encodeURIComponent(text)}`).filters('filters')).toThrow(
        expect.objectContaining({ kind: 'InvalidArgument', message: 'invalid filter' }),
      );
    },
  );
});
