import { describe, expect, it } from 'vitest';

import {
  booleanFilter,
  checkFilterNames,
  matchesExactly,
  matchesLabels,
  matchesPattern,
  parseTimestampNs,
  untilFilter,
  type Filters,
} from './filters.ts';

function filters(object: Readonly<Record<string, readonly string[]>>): Filters {
  return new Map(Object.entries(object));
}

const NOW_NS = 1_700_000_000_000_000_000n;

describe('filters', () => {
  it('refuses a name that is not known', () => {
    expect(() => {
      checkFilterNames(filters({ name: ['a'], nope: ['x'] }), ['name']);
    }).toThrow("invalid filter 'nope'");
  });

  it.each([
    [{}, true],
    [{ driver: [] }, true],
    [{ driver: ['local'] }, true],
    [{ driver: ['x', 'local'] }, true],
    [{ driver: ['loc'] }, false],
  ])('matches %j exactly: %s', (given, expected) => {
    expect(matchesExactly(filters(given), 'driver', 'local')).toBe(expected);
  });

  it.each([
    [{}, true],
    [{ name: ['we'] }, true],
    [{ name: ['^web$'] }, true],
    [{ name: ['x', 'b$'] }, true],
    [{ name: ['['] }, false],
    [{ name: ['^eb'] }, false],
  ])('matches %j as a pattern: %s', (given, expected) => {
    expect(matchesPattern(filters(given), 'name', 'web')).toBe(expected);
  });

  it('matches a value literally even where it is no pattern', () => {
    expect(matchesPattern(filters({ name: ['['] }), 'name', '[')).toBe(true);
  });

  it.each([
    [{}, true],
    [{ label: ['a'] }, true],
    [{ label: ['a=1'] }, true],
    [{ label: ['a', 'b=x=y'] }, true],
    [{ label: ['a', 'c'] }, false],
    [{ label: ['a=2'] }, false],
    [{ label: ['toString'] }, false],
    [{ 'label!': ['c'] }, true],
    [{ 'label!': ['a'] }, false],
    [{ 'label!': ['a=2'] }, true],
    [{ 'label!': ['a', 'c'] }, true],
    [{ label: ['a'], 'label!': ['b=x=y'] }, false],
  ])('matches labels with %j: %s', (given, expected) => {
    expect(matchesLabels(filters(given), { a: '1', b: 'x=y' })).toBe(expected);
  });

  it.each([
    [[], undefined],
    [['true'], true],
    [['1'], true],
    [['false'], false],
    [['0'], false],
  ])('reads the boolean %j as %s', (values, expected) => {
    expect(booleanFilter(filters({ dangling: values }), 'dangling')).toBe(expected);
  });

  it.each([[['x']], [['true', 'false']]])('refuses the boolean %j', (values) => {
    expect(() => booleanFilter(filters({ dangling: values }), 'dangling')).toThrow(
      `invalid filter 'dangling=[${values.join(' ')}]'`,
    );
  });

  it.each([
    ['1h', NOW_NS - 3600_000_000_000n],
    ['1h30m', NOW_NS - 5400_000_000_000n],
    ['1.5s', NOW_NS - 1_500_000_000n],
    ['1699999999', 1_699_999_999_000_000_000n],
    ['1699999999.5', 1_699_999_999_500_000_000n],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000_000_000n],
    ['2023-11-14T22:13:20.000000001Z', 1_700_000_000_000_000_001n],
    ['2023-11-14T23:13:20+01:00', 1_700_000_000_000_000_000n],
    ['2023-11-14T22Z', 1_699_999_200_000_000_000n],
  ])('reads until=%s', (value, expected) => {
    expect(untilFilter(filters({ until: [value] }), NOW_NS)).toBe(expected);
  });

  it('reads a date without a zone as a local one', () => {
    expect(parseTimestampNs('2023-11-14')).toBe(BigInt(new Date(2023, 10, 14).getTime()) * 1_000_000n);
  });

  it.each(['bad', '', '1x', 'h', '2023-13-45', '-'])('refuses until=%j', (value) => {
    expect(() => untilFilter(filters({ until: [value] }), NOW_NS)).toThrow(
      `failed to parse value as time or duration: "${value}"`,
    );
  });

  it('refuses two untils', () => {
    expect(() => untilFilter(filters({ until: ['1h', '2h'] }), NOW_NS)).toThrow(
      'more than one until filter specified',
    );
  });
});
