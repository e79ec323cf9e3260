import { describe, expect, test } from 'vitest';
import {
  anyCharacter,
  codePointsOf,
  globEnd,
  globStarts,
  literal,
  matchesGlob,
  type GlobToken,
} from './glob.ts';

const star: GlobToken = { kind: 'star', matches: anyCharacter };
const char = (text: string): readonly GlobToken[] =>
  Array.from(text, (one) => ({ kind: 'char', matches: literal(one) }) as const);

describe('a glob', () => {
  test('takes time in proportion to pattern and text, also where a search would go back again and again', () => {
    const tokens = [...Array.from({ length: 200 }, () => [star, ...char('a')]).flat(), ...char('b')];
    expect(matchesGlob(tokens, 'a'.repeat(5000))).toBe(false);
  });

  test('finds the shortest and the longest fit from a place', () => {
    const text = codePointsOf('xaxbxb');
    const tokens = [...char('a'), star, ...char('b')];
    expect(globEnd(tokens, text, { start: 1, isGreedy: false })).toBe(4);
    expect(globEnd(tokens, text, { start: 1, isGreedy: true })).toBe(6);
    expect(globEnd(tokens, text, { start: 0, isGreedy: true })).toBeUndefined();
    expect(globStarts(tokens, text)).toEqual([false, true, false, false, false, false, false]);
  });

  test('takes any number of directories, none included', () => {
    const tokens: readonly GlobToken[] = [{ kind: 'directories' }, ...char('foo')];
    expect(['foo', 'a/foo', 'a/b/foo', 'afoo', 'foo/a'].map((path) => matchesGlob(tokens, path))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
