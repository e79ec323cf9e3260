import { describe, expect, test } from 'vitest';

import { frameMessage, framePayload, MessageReader, PayloadReader } from './blob-frames.ts';

const DATA = 2;

/** A varint field before the payload, as containerd sends an offset, and one of bytes behind it. */
function message(payload: Buffer): Buffer {
  const offset = Buffer.from([0x08, 0x96, 0x01]);
  const frame = framePayload(offset, DATA, payload.length);
  return Buffer.concat([frame, payload]);
}

function payloadOf(chunks: readonly Buffer[]): string {
  const reader = new PayloadReader(DATA);
  return Buffer.concat(chunks.flatMap((chunk) => [...reader.push(chunk)])).toString();
}

describe('the payload of frames', () => {
  const frames = Buffer.concat([
    message(Buffer.from('first, ')),
    message(Buffer.alloc(0)),
    frameMessage(Buffer.from([0x1a, 0x02, 0x61, 0x62])),
    message(Buffer.alloc(300, 'x')),
  ]);

  test('comes out whole, wherever the stream is cut', () => {
    const expected = `first, ${'x'.repeat(300)}`;
    expect(payloadOf([frames])).toBe(expected);
    expect(payloadOf(Array.from(frames, (byte) => Buffer.from([byte])))).toBe(expected);
    for (let cut = 1; cut < frames.length; cut += 1)
      expect(payloadOf([frames.subarray(0, cut), frames.subarray(cut)])).toBe(expected);
  });

  test.each([
    ['a field of a fixed size', Buffer.from([0, 0, 0, 0, 5, 0x0d, 1, 2, 3, 4])],
    ['bytes beyond the message', Buffer.from([0, 0, 0, 0, 3, 0x12, 0x7f, 1])],
    ['a number without end', Buffer.concat([Buffer.from([0, 0, 0, 0, 40]), Buffer.alloc(40, 0xff)])],
  ])('is an error with %s', (_, bytes) => {
    expect(() => payloadOf([bytes])).toThrow(/containerd sent a message/);
  });
});

test('messages are cut out of a stream, however it is cut', () => {
  const stream = Buffer.concat([
    frameMessage(Buffer.from('a')),
    frameMessage(Buffer.alloc(0)),
    frameMessage(Buffer.from('bc')),
  ]);
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const reader = new MessageReader();
    const texts = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((chunk) =>
      [...reader.push(chunk)].map(String),
    );
    expect(texts).toEqual(['a', '', 'bc']);
  }
});
