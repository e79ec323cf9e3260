import { expect, test } from 'vitest';
import { createClock, formatTimeNs } from './clock.ts';

test('the clock grows with each look and keeps to the time of the system', () => {
  const now = createClock();
  const times = Array.from({ length: 1000 }, now);
  for (const [index, time] of times.entries())
    if (index > 0) expect(time > (times[index - 1] ?? time)).toBe(true);
  expect(Math.abs(Number(now() / 1_000_000n) - Date.now())).toBeLessThan(1000);
});

test.each([
  [0n, '1970-01-01T00:00:00.000000000Z'],
  [1_700_000_000_123_456_789n, '2023-11-14T22:13:20.123456789Z'],
  [1_700_000_000_000_000_007n, '2023-11-14T22:13:20.000000007Z'],
])('%s is %s', (timeNs, text) => {
  expect(formatTimeNs(timeNs)).toBe(text);
});
