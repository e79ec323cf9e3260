import { expect, test } from 'vitest';

import { frameLines, stdcopyHeader } from './stdcopy.ts';

test.each([
  { name: 'a line', text: 'one\n', frames: ['one\n'] },
  { name: 'lines', text: 'one\n\ntwo\n', frames: ['one\n', '\n', 'two\n'] },
  { name: 'a line and the beginning of another', text: 'one\ntw', frames: ['one\n', 'tw'] },
  { name: 'nothing', text: '', frames: [''] },
])('$name: a frame for each', ({ text, frames }) => {
  const expected = frames.flatMap((frame) => [stdcopyHeader('stderr', frame.length), Buffer.from(frame)]);
  expect(frameLines('stderr', Buffer.from(text))).toEqual(Buffer.concat(expected));
});
