import { describe, expect, test } from 'vitest';
import { expandWord, expandWords, variablesOf } from './expand-word.ts';

const variables = variablesOf([
  'name=value',
  'empty=',
  'path=/usr/local/lib/x.tar.gz',
  'n=1',
  'ports=80 443',
]);
const options = { escape: '\\' };

describe('a word is expanded', () => {
  test.each([
    ['plain', 'plain'],
    ['$name', 'value'],
    ['${name}', 'value'],
    ['a${name}b', 'avalueb'],
    ['$nameb', ''],
    ['$name.b', 'value.b'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$$', ''],
    ['\\$name', '$name'],
    ["'$name'", '$name'],
    ['"$name"', 'value'],
    ['"\\$name"', '$name'],
    ['"a\\b"', 'a\\b'],
    ['"a\\\\b"', 'a\\b'],
    ['a\\b', 'ab'],
    ['"it\'s"', "it's"],
    ['\'say "x"\'', 'say "x"'],
    ['${unset}', ''],
    ['${unset:-other}', 'other'],
    ['${unset-other}', 'other'],
    ['${empty:-other}', 'other'],
    ['${empty-other}', ''],
    ['${name:-other}', 'value'],
    ['${unset:-${name}}', 'value'],
    ['${unset:-a"$name"b}', 'avalueb'],
    ['${name:+yes}', 'yes'],
    ['${empty:+yes}', ''],
    ['${empty+yes}', 'yes'],
    ['${unset+yes}', ''],
    ['${name:?no}', 'value'],
    ['${empty?no}', ''],
    ['${path#*/}', 'usr/local/lib/x.tar.gz'],
    ['${path##*/}', 'x.tar.gz'],
    ['${path%.*}', '/usr/local/lib/x.tar'],
    ['${path%%.*}', '/usr/local/lib/x'],
    ['${path%/lib/*}', '/usr/local'],
    ['${path#nothing}', '/usr/local/lib/x.tar.gz'],
    ['${name#?}', 'alue'],
    ['${name%e}', 'valu'],
    ['${path/l/L}', '/usr/Local/lib/x.tar.gz'],
    ['${path//l/L}', '/usr/LocaL/Lib/x.tar.gz'],
    ['${path//\\//-}', '-usr-local-lib-x.tar.gz'],
    ['${name/a*u/X}', 'vXe'],
    ['${name/zzz/X}', 'value'],
    ['${unset/a/b}', ''],
    ['$1', ''],
    ['a<<b', 'a<<b'],
    ['höhe$n', 'höhe1'],
  ])('%j → %j', (word, expected) => {
    expect(expandWord(word, variables, options)).toBe(expected);
  });

  test('with the backtick as escape', () => {
    expect(expandWord('C:\\$name`$name', variables, { escape: '`' })).toBe('C:\\value$name');
  });

  test.each([
    ['${name', /missing '\}'/],
    ['${}', /bad substitution/],
    ['${:x}', /bad substitution/],
    ['${name:=x}', /unsupported modifier \(:=\) in substitution/],
    ['${name:#x}', /unsupported modifier \(:#\) in substitution/],
    ['${name^}', /unsupported modifier \(\^\) in substitution/],
    ['${unset:?is needed}', /unset: is needed/],
    ['${unset?}', /unset: is not allowed to be unset/],
    ['${empty:?}', /empty: is not allowed to be empty/],
    ['${name/x}', /missing '\/' in/],
    ["'open", /single-quote/],
    ['"open', /double-quote/],
    [`${'${a:-'.repeat(100)}x${'}'.repeat(100)}`, /nested too deep/],
  ])('%j is refused', (word, message) => {
    expect(() => expandWord(word, variables, options)).toThrow(message);
  });

  test('into several words where a value has spaces, unless they are quoted', () => {
    expect(expandWords('$ports 8080', variables, options)).toEqual(['80', '443', '8080']);
    expect(expandWords('"a b" c\\ d', variables, options)).toEqual(['a b', 'c d']);
  });
});
