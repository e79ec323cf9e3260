import { expect, test } from 'vitest';
import { matchReference } from './match-reference.ts';

test.each([
  ['busybox', 'busybox:latest', true],
  ['busybox:latest', 'busybox:latest', true],
  ['busybox:*', 'busybox:latest', true],
  ['busy*:l?test', 'busybox:latest', true],
  ['*', 'busybox:latest', true],
  ['*', 'user/busybox:latest', false],
  ['*/*', 'user/busybox:latest', true],
  ['u*x', 'user/busybox', false],
  ['[a-c]usybox', 'busybox:1', true],
  ['[^a-c]usybox', 'busybox:1', false],
  ['bus\\ybox', 'busybox:1', true],
  ['b**x', 'busybox:1', true],
  ['usybox', 'busybox:1', false],
  ['busybo', 'busybox:1', false],
  ['', 'busybox:1', false],
  ['[', 'busybox:1', false],
  ['localhost:5000/*', 'localhost:5000/x:1', true],
])('%j and %s: %s', (pattern, name, isMatch) => {
  expect(matchReference(pattern, name)).toBe(isMatch);
});

test('no pattern takes long', () => {
  const start = performance.now();
  expect(matchReference(`${'*a'.repeat(200)}b`, `x/${'a'.repeat(200)}`)).toBe(false);
  expect(performance.now() - start).toBeLessThan(200);
});
