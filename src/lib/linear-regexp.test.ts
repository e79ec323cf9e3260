import { describe, expect, it } from 'vitest';

import { compileLinearRegexp } from './linear-regexp.ts';

const TEXTS = [
  '',
  'a',
  'web',
  '/web',
  '/web-1',
  '/web-12',
  'db_1',
  'x.y',
  'xay',
  'aaaa',
  'a-b',
  'a]b',
  'foo bar',
  'é',
  '\n',
];
const PATTERNS = [
  '',
  'web',
  '^/?web$',
  '^/web-\\d+$',
  'web|db',
  '^(web|db)',
  '^/(?:web|db_)-?1$',
  'x.y',
  'x\\.y',
  '[a-c]',
  '[^a-z]',
  '[]a]',
  'a-?[\\w-]b',
  'a{2}',
  '^a{2,3}$',
  '^a{2,}$',
  'a*?$',
  '^(a+)+$',
  '()',
  '(|a)b',
  '\\bbar\\b',
  '\\Boo',
  '\\Aweb\\z',
  '[\\d_]1',
  '\\s',
  '{',
  'a{x',
];

describe('compileLinearRegexp', () => {
  it.each(PATTERNS)('finds what the platform finds for %j', (pattern) => {
    const compiled = compileLinearRegexp(pattern);
    const platform = new RegExp(pattern.replace('\\A', '^').replace('\\z', '$').replace('[]a]', '[\\]a]'));
    for (const text of TEXTS) expect([text, compiled?.test(text)]).toEqual([text, platform.test(text)]);
  });

  it.each([
    '[',
    '(',
    ')',
    'a)',
    '*',
    '+a',
    'a**',
    '\\',
    '(?=a)',
    '(?i)a',
    '\\1',
    '[b-a]',
    'a{3,2}',
    'a{2000}',
    '[[:alpha:]]',
  ])('refuses %j', (pattern) => {
    expect(compileLinearRegexp(pattern)).toBeUndefined();
  });

  it('refuses patterns that would become too large', () => {
    expect(compileLinearRegexp('a'.repeat(257))).toBeUndefined();
    expect(compileLinearRegexp('((a{100}){100}){100}')).toBeUndefined();
    expect(compileLinearRegexp('(((a{0}){1000}){1000}){1000}')).toBeUndefined();
    expect(compileLinearRegexp('('.repeat(100) + ')'.repeat(100))).toBeUndefined();
  });

  it('takes no exponential time', () => {
    const evil = compileLinearRegexp('^(a+)+(a|a)*b$');
    const startedAt = performance.now();
    expect(evil?.test('a'.repeat(500))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});
