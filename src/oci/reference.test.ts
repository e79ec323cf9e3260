import { describe, expect, test } from 'vitest';
import {
  familiarName,
  familiarString,
  parseReference,
  parseTag,
  recordName,
  withDefaultTag,
} from './reference.ts';

const digest = `sha256:${'a1'.repeat(32)}`;

const accepted: readonly (readonly [typed: string, record: string, familiar: string])[] = [
  ['alpine', 'docker.io/library/alpine:latest', 'alpine'],
  ['alpine:3.19', 'docker.io/library/alpine:3.19', 'alpine:3.19'],
  ['library/alpine', 'docker.io/library/alpine:latest', 'alpine'],
  ['docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine'],
  ['docker.io/library/alpine:x', 'docker.io/library/alpine:x', 'alpine:x'],
  ['index.docker.io/library/alpine', 'docker.io/library/alpine:latest', 'alpine'],
  ['index.docker.io/user/x', 'docker.io/user/x:latest', 'user/x'],
  ['user/x', 'docker.io/user/x:latest', 'user/x'],
  ['user/x/y:1', 'docker.io/user/x/y:1', 'user/x/y:1'],
  ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b'],
  ['localhost/x', 'localhost/x:latest', 'localhost/x'],
  ['localhost:5000/x', 'localhost:5000/x:latest', 'localhost:5000/x'],
  ['localhost:5000/x:1', 'localhost:5000/x:1', 'localhost:5000/x:1'],
  ['127.0.0.1:5000/a/b:1.0', '127.0.0.1:5000/a/b:1.0', '127.0.0.1:5000/a/b:1.0'],
  ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x'],
  ['ghcr.io/o/r:v1', 'ghcr.io/o/r:v1', 'ghcr.io/o/r:v1'],
  ['registry.example.com/x', 'registry.example.com/x:latest', 'registry.example.com/x'],
  ['host:80/x', 'host:80/x:latest', 'host:80/x'],
  ['Upper/x', 'Upper/x:latest', 'Upper/x'],
  ['a_b/c__d/e-f/g.h/i---j', 'docker.io/a_b/c__d/e-f/g.h/i---j:latest', 'a_b/c__d/e-f/g.h/i---j'],
  [`alpine@${digest}`, `docker.io/library/alpine@${digest}`, `alpine@${digest}`],
  [`alpine:3@${digest}`, `docker.io/library/alpine@${digest}`, `alpine:3@${digest}`],
  [`localhost:5000/x@${digest}`, `localhost:5000/x@${digest}`, `localhost:5000/x@${digest}`],
  [`x:${'t'.repeat(128)}`, `docker.io/library/x:${'t'.repeat(128)}`, `x:${'t'.repeat(128)}`],
  ['x:_Tag.with-All_9', 'docker.io/library/x:_Tag.with-All_9', 'x:_Tag.with-All_9'],
];

const refused: readonly string[] = [
  '',
  ':',
  '@',
  'x:',
  'x@',
  '/x',
  'x/',
  'a//b',
  'x:tag:tag',
  'x:ta/g',
  `x:${'t'.repeat(129)}`,
  'x@sha256:abc',
  `x@sha256:${'A1'.repeat(32)}`,
  `x@sha512:${'a'.repeat(128)}`,
  `x@${digest}@${digest}`,
  'http://x/y',
  'https://registry.example.com/x',
  'user:pass@host/x',
  'a b',
  ' x',
  'x?y',
  'x#y',
  'x\\y',
  'x%2e%2e',
  '../x',
  'a/../b',
  'x\0',
  'x\n',
  '-x',
  'x-',
  '_x',
  'x..y',
  'x___y',
  'ho_st.example/x',
  'host:port/x',
  'x'.repeat(10_000),
];

describe('parseReference', () => {
  test.each(accepted)('reads %s', (typed, record, familiar) => {
    const reference = parseReference(typed);
    expect(recordName(reference)).toBe(record);
    expect(familiarString(reference)).toBe(familiar);
  });

  test.each(refused)('refuses %j', (typed) => {
    expect(() => parseReference(typed)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument', message: 'invalid reference format' }),
    );
  });

  test.each([
    ['UPPER', 'invalid reference format: repository name must be lowercase'],
    ['user/Upper:1', 'invalid reference format: repository name must be lowercase'],
    [
      'a'.repeat(64),
      `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
    ],
    [`x/${'a'.repeat(255)}`, 'repository name must not be more than 255 characters'],
  ])('refuses %s in words of its own', (typed, message) => {
    expect(() => parseReference(typed)).toThrow(
      expect.objectContaining({ kind: 'InvalidArgument', message }),
    );
  });

  test('is not slowed down by what almost matches', () => {
    const start = performance.now();
    expect(() => parseReference('a-'.repeat(500))).toThrow('invalid reference format');
    expect(performance.now() - start).toBeLessThan(100);
  });
});

test('only a reference without tag and digest gets the tag latest', () => {
  expect(withDefaultTag(parseReference('x')).tag).toBe('latest');
  expect(withDefaultTag(parseReference('x:1')).tag).toBe('1');
  expect(withDefaultTag(parseReference(`x@${digest}`)).tag).toBeUndefined();
});

test('a familiar name has neither tag nor digest', () => {
  expect(familiarName(parseReference(`user/x:1@${digest}`))).toBe('user/x');
});

test.each(['', '.x', '-x', 'a b', 'a/b', 'a:b', 'x'.repeat(129)])('parseTag refuses %j', (tag) => {
  expect(() => parseTag(tag)).toThrow('invalid tag format');
});
