import { describe, expect, test } from 'vitest';

import {
  decodeAnswers,
  encodeAttributes,
  encodeRequest,
  halfWord,
  readAttribute,
  readWord,
  word,
} from './netlink-message.ts';

const answer = (type: number, sequence: number, body: Buffer): Buffer =>
  Buffer.concat([word(16 + body.length), halfWord(type), halfWord(0), word(sequence), word(0), body]);

describe('netlink messages', () => {
  test('attributes are padded to words, and lists are attributes in attributes', () => {
    const bytes = encodeAttributes([
      [1, 'ab'],
      [2, [[3, 5]]],
    ]);
    expect(bytes).toEqual(
      Buffer.concat([
        halfWord(7),
        halfWord(1),
        Buffer.from('ab\0\0'),
        halfWord(12),
        halfWord(0x8002),
        halfWord(8),
        halfWord(3),
        word(5),
      ]),
    );
    expect(readAttribute(bytes, 0, 2)).toEqual(Buffer.concat([halfWord(8), halfWord(3), word(5)]));
    expect(readAttribute(bytes, 0, 9)).toBeUndefined();
  });

  test('a request has its length and its number', () => {
    const bytes = encodeRequest({ type: 16, flags: 5, body: Buffer.alloc(4) }, 77);
    expect([bytes.length, readWord(bytes, 0), readWord(bytes, 8)]).toEqual([20, 20, 77]);
  });

  test('answers are told from ends, successes from refusals', () => {
    const datagram = Buffer.concat([
      answer(16, 1, word(42)),
      answer(2, 1, word(0)),
      answer(2, 2, word(-17 >>> 0)),
      answer(3, 3, word(0)),
    ]);
    expect(decodeAnswers(datagram).map(({ sequence, errno }) => [sequence, errno])).toEqual([
      [1, undefined],
      [1, 0],
      [2, 17],
      [3, 0],
    ]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a header', Buffer.alloc(8)],
    ['a length of nothing', Buffer.alloc(16)],
    ['a length of more than there is', Buffer.concat([word(400), Buffer.alloc(12)])],
  ])('%s holds no answer', (_, datagram) => {
    expect(decodeAnswers(datagram)).toEqual([]);
  });

  test('an attribute that is longer than its message is none', () => {
    expect(readAttribute(Buffer.concat([halfWord(400), halfWord(1)]), 0, 1)).toBeUndefined();
  });
});
