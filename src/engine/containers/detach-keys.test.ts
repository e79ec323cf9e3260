import { describe, expect, test } from 'vitest';
import { createDetachScanner } from './connect-client.ts';
import { parseDetachKeys } from './parse-detach-keys.ts';

describe('parseDetachKeys', () => {
  test.each([
    ['', [16, 17]],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-@', [0]],
    ['CTRL-A,x', [1, 120]],
    ['ctrl-[', [27]],
    ['ctrl-_', [31]],
  ])('%j', (keys, bytes) => {
    expect([...parseDetachKeys(keys)]).toEqual(bytes);
  });

  test.each(['ctrl-', 'ctrl-1', 'alt-x', 'ctrl-ab', ','])('%j is refused', (keys) => {
    expect(() => parseDetachKeys(keys)).toThrow(`Invalid detach keys (${keys}) provided`);
  });
});

describe('the scanner', () => {
  const feed = (...chunks: readonly string[]): { readonly passed: string; readonly isDetached: boolean } => {
    const scan = createDetachScanner(Buffer.from('pq'));
    let passed = '';
    for (const chunk of chunks) {
      const { rest, isDetached } = scan(Buffer.from(chunk));
      passed += rest.toString();
      if (isDetached) return { passed, isDetached };
    }
    return { passed, isDetached: false };
  };

  test.each([
    [['abc'], 'abc', false],
    [['abpq', 'never'], 'ab', true],
    [['p', 'q'], '', true],
    [['p', 'x'], 'px', false],
    [['ppq'], 'p', true],
    [['q'], 'q', false],
  ] as const)('%j passes %j', (chunks, passed, isDetached) => {
    expect(feed(...chunks)).toEqual({ passed, isDetached });
  });
});
