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

/** How far a compressed archive may expand. */
export interface ExpansionLimits {
  /** So much it may always. */
  readonly freeBytes: number;
  /** And so many bytes besides for each one that was sent. */
  readonly ratio: number;
}

/** Zeros are packed at a thousand to one, everything that is worth sending at far less. */
const defaultLimits: ExpansionLimits = { freeBytes: 2 ** 30, ratio: 200 };

/**
 * The plain tar of what may be a compressed one. Decompression runs in this process, never a program of the container's;
 * InvalidArgument for one that expands beyond all measure.
 */
export async function* decompress(
  source: Readable,
  limits: ExpansionLimits = defaultLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
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
  const sent = { bytes: 0 };
  pipeline(Readable.from(count(whole, sent), { objectMode: false }), decoder, () => undefined);
  let expandedBytes = 0;
  for await (const chunk of decoder as AsyncIterable<Uint8Array>) {
    expandedBytes += chunk.length;
    if (expandedBytes > limits.freeBytes + limits.ratio * sent.bytes)
      throw new EngineError(
        'InvalidArgument',
        `archive expands to more than ${limits.ratio} times its size: send it without compression`,
      );
    yield chunk;
  }
}

async function* count(
  chunks: AsyncIterable<Uint8Array>,
  sent: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    sent.bytes += chunk.length;
    yield chunk;
  }
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
