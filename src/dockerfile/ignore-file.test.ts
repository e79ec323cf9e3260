import { describe, expect, test } from 'vitest';
import { createIgnoreMatcher, parseIgnoreFile } from './ignore-file.ts';

function ignored(text: string, paths: readonly string[]): readonly string[] {
  const matcher = createIgnoreMatcher(parseIgnoreFile(text));
  return paths.filter((path) => matcher.isIgnored(path));
}

describe('an ignore file', () => {
  test('drops comments, blanks and slashes, and cleans paths', () => {
    expect(parseIgnoreFile('\uFEFF# no\n\n /a/ \n! b//c/../d \r\n./e\n')).toEqual(['a', '!b/d', 'e']);
  });

  test.each([
    ['foo', ['foo', 'foo/bar', 'foo/a/b'], ['a/foo', 'foobar']],
    ['*', ['a', 'a/b', '.x'], []],
    ['*.md', ['a.md', 'x.md/y'], ['a/b.md', 'a.mdx']],
    ['*/b', ['a/b', 'a/b/c'], ['b', 'a/c/b']],
    ['a?c', ['abc'], ['ac', 'a/c', 'abbc']],
    ['**', ['a', 'a/b'], []],
    ['**/foo', ['foo', 'a/foo', 'a/b/foo', 'a/foo/x'], ['afoo']],
    ['foo/**', ['foo/a', 'foo/a/b'], ['foo', 'a/foo/b']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/bx', 'b']],
    ['**/*.log', ['x.log', 'a/x.log', 'a/b/x.log'], ['x.logs']],
    ['[a-c].txt', ['a.txt', 'c.txt'], ['d.txt']],
    ['[^a-c].txt', ['d.txt'], ['a.txt']],
    ['\\*.txt', ['*.txt'], ['a.txt']],
    ['a.b+c(d)', ['a.b+c(d)'], ['axb+c(d)']],
    ['*\n!keep', ['a', 'a/keep'], ['keep', 'keep/x']],
    ['docs\n!docs/README.md\ndocs/README.md/x', ['docs', 'docs/a', 'docs/README.md/x'], ['docs/README.md']],
    ['!a\na', ['a'], ['b']],
    ['**/node_modules\n!**/node_modules/keep', ['x/node_modules/a'], ['x/node_modules/keep/a']],
    ['.', [], ['a', 'b/c']],
  ])('%j', (text, dropped, kept) => {
    expect(ignored(text, [...dropped, ...kept])).toEqual(dropped);
  });

  test.each(['[', '[]a]', '[a', 'a\\', '[a-]'])('refuses %j', (text) => {
    expect(() => createIgnoreMatcher([text])).toThrow('syntax error in pattern');
  });

  test('refuses an exception of nothing', () => {
    expect(() => createIgnoreMatcher(['!'])).toThrow('illegal exclusion pattern: "!"');
  });

  test('is not held up by a pattern made to be slow, as matchers made of regular expressions are', () => {
    const slow = `${'**/'.repeat(30)}${'*a'.repeat(200)}b`;
    expect(ignored(slow, [`${'a/'.repeat(200)}${'a'.repeat(2000)}`])).toEqual([]);
  });
});
