import { expect, test } from 'vitest';
import { createRandomId } from './random-id.ts';

test('an id is 64 hex digits, another one each time', () => {
  expect(createRandomId()).toMatch(/^[0-9a-f]{64}$/);
  expect(createRandomId()).not.toBe(createRandomId());
});

test('the short form of an id is never a number', () => {
  const numeric = Buffer.from(`123456789012${'ab'.repeat(26)}`, 'hex');
  const named = Buffer.from(`12345678901f${'12'.repeat(26)}`, 'hex');
  const drawn = [numeric, numeric, named];
  expect(createRandomId(() => drawn.shift() ?? named)).toBe(named.toString('hex'));
});
