import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';

import { EngineError } from '../errors.ts';

const magicBytes = 6;
const gzip = Buffer.from([0x1f, 0x8b]);
const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const refused = [
  { name: 'xz', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { name: 'bzip2', magic: Buffer.from('BZh') },
] as const;

/** The plain tar of what may be a compressed one. Decompression runs in this process, never a program of the container's. */
export async function* decompress(source: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head = Buffer.alloc(0);
  while (head.length < magicBytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = replay(head, chunks);
  const decoder = decoderFor(head);
  if (!decoder) {
    yield* whole;
    return;
  }
  // The error reaches whoever reads the decoder.
  pipeline(Readable.from(whole, { objectMode: false }), decoder, () => undefined);
  yield* decoder as AsyncIterable<Uint8Array>;
}

async function* replay(
  head: Buffer,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function decoderFor(head: Buffer): Transform | undefined {
  const begins = (magic: Buffer): boolean => head.subarray(0, magic.length).equals(magic);
  if (begins(gzip)) return zlib.createGunzip();
  const unsupported = refused.find(({ magic }) => begins(magic))?.name;
  if (unsupported !== undefined) throw unsupportedError(unsupported);
  if (!begins(zstd)) return undefined;
  // Newer versions of Node have it.
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (typeof create !== 'function') throw unsupportedError('zstd');
  return Reflect.apply(create, zlib, []) as Transform;
}

function unsupportedError(name: string): EngineError {
  return new EngineError('InvalidArgument', `archive is compressed with ${name}: use gzip or no compression`);
}
