import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createByteWriter } from './byte-writer.ts';

test('a write that is never called back fails when the client has gone', async () => {
  const target = new Writable({ write: () => undefined });
  const written = createByteWriter(target).write(Buffer.from('x'));
  target.destroy();
  await expect(written).rejects.toMatchObject({ kind: 'Cancelled' });
});

test('parts leave in their order, and the write is over when they have', async () => {
  const taken: string[] = [];
  const target = new Writable({
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString());
      done();
    },
  });
  await createByteWriter(target).write(Buffer.from('a'), Buffer.from('b'));
  expect(taken.join('')).toBe('ab');
});
