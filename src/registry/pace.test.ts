import { expect, test } from 'vitest';
import { createPace } from './pace.ts';

test.each([
  { name: 'a trickle', bytes: 100, everyMs: 5_000, readerMs: 0, isTooSlow: true },
  { name: 'a slow line', bytes: 8_000, everyMs: 5_000, readerMs: 0, isTooSlow: false },
  { name: 'a slow reader of quick bytes', bytes: 100, everyMs: 1, readerMs: 60_000, isTooSlow: false },
])('$name ends the transfer: $isTooSlow', ({ bytes, everyMs, readerMs, isTooSlow }) => {
  let now = 0;
  const pace = createPace(() => now);
  const transfer = (): void => {
    for (let chunk = 0; chunk < 100; chunk += 1) {
      now += everyMs;
      pace.received(bytes);
      now += readerMs;
      pace.ready();
    }
  };
  if (isTooSlow) expect(transfer).toThrow('i/o timeout');
  else expect(transfer).not.toThrow();
});
