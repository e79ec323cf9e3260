import { once } from 'node:events';
import { expect, test } from 'vitest';
import { writeImages } from './write-images.ts';

const BLOB_BYTES = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024);

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const IMAGE = {
  names: [],
  config: { digest: digestOf('a'), size: BLOB_BYTES },
  layers: [],
  manifest: { digest: digestOf('b'), size: 2, bytes: Buffer.from('{}'), mediaType: 'application/x' },
};

/** A blob's bytes that come for as long as they are asked for. */
async function* zeros(asked: { bytes: number }): AsyncGenerator<Uint8Array> {
  for (; asked.bytes < BLOB_BYTES; asked.bytes += PIECE.length) {
    await new Promise(setImmediate);
    yield PIECE;
  }
}

test('a reader that leaves in the middle of a blob ends the archive, and nothing else', async () => {
  const asked = { bytes: 0 };
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', note);
  const tar = writeImages([IMAGE], () => zeros(asked));
  tar.on('error', () => undefined);
  await once(tar, 'readable');
  tar.read();
  const closed = new Promise((settle) => void tar.once('close', settle));
  tar.destroy(new Error('the client has gone'));
  await closed;
  await new Promise((settle) => setTimeout(settle, 50));
  process.off('uncaughtException', note);
  expect(uncaught).toEqual([]);
  expect(asked.bytes).toBeLessThan(BLOB_BYTES);
});
