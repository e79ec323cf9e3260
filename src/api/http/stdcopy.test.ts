import { expect, test } from 'vitest';

import { createLineFramer, stdcopyHeader } from './stdcopy.ts';

const frameLines = createLineFramer();

test.each([
  {
    name: 'more than comes after',
    text: 'four\n'.repeat(9),
    frames: Array.from({ length: 9 }, () => 'four\n'),
  },
  { name: 'a line', text: 'one\n', frames: ['one\n'] },
  { name: 'lines', text: 'one\n\ntwo\n', frames: ['one\n', '\n', 'two\n'] },
  { name: 'a line and the beginning of another', text: 'one\ntw', frames: ['one\n', 'tw'] },
  { name: 'nothing', text: '', frames: [''] },
])('$name: a frame for each', ({ text, frames }) => {
  const expected = frames.flatMap((frame) => [stdcopyHeader('stderr', frame.length), Buffer.from(frame)]);
  expect(frameLines('stderr', Buffer.from(text))).toEqual(Buffer.concat(expected));
});
