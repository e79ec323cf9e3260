import { describe, expect, it } from 'vitest';
import { parseSignal } from './signals.ts';

describe('parseSignal', () => {
  it.each([
    ['9', 9],
    ['KILL', 9],
    ['sigterm', 15],
    ['SIGWINCH', 28],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMAX-14', 50],
    ['64', 64],
  ])('reads %s as %i', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each(['', '0', '65', '-1', 'SIGNOPE', 'RTMIN-1', 'RTMIN+31', '9; rm', '__proto__', 'toString'])(
    'refuses %j',
    (text) => {
      expect(() => parseSignal(text)).toThrow(/^invalid signal: /);
    },
  );
});
