import { expect, test } from 'vitest';

import { createHealthOutput } from './health-output.ts';

test('output up to 4096 bytes is kept whole', () => {
  const output = createHealthOutput();
  output.add(Buffer.from('a'.repeat(4000)));
  output.add(Buffer.from('b'.repeat(96)));
  expect(output.text()).toBe('a'.repeat(4000) + 'b'.repeat(96));
});

test('what is more is dropped, and three dots say so', () => {
  const output = createHealthOutput();
  output.add(Buffer.from('a'.repeat(4095)));
  output.add(Buffer.from('bc'));
  output.add(Buffer.from('d'));
  expect(output.text()).toBe(`${'a'.repeat(4095)}b...`);
});

test('a buffer that is used again does not change what was kept', () => {
  const output = createHealthOutput();
  const buffer = Buffer.from('first');
  output.add(buffer);
  buffer.write('other');
  expect(output.text()).toBe('first');
});
