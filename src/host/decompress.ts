import { pipeline, Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';

import { EngineError } from '../errors.ts';
import { filterThrough } from './filter-program.ts';

/** How bytes are compressed that begin with one of the known signatures. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const signatures: readonly (readonly [Exclude<Compression, 'none'>, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
];
const signatureBytes = 6;

/** What Node cannot unpack itself is left to the programs that dockerd calls too, none of which may take more memory. */
const programs = {
  zstd: ['zstd', '--decompress', '--stdout', '--quiet', '--memory=256MB'],
  xz: ['xz', '--decompress', '--stdout', '--quiet', '--memlimit-decompress=256MiB'],
  bzip2: ['bzip2', '--decompress', '--stdout'],
} as const;

/** How far a compressed archive may expand. */
export interface ExpansionLimits {
  /** So much it may always. */
  readonly freeBytes: number;
  /** And so many bytes besides for each one that was sent. */
  readonly ratio: number;
}

/** Zeros are packed at a thousand to one, everything that is worth sending at far less. */
const defaultLimits: ExpansionLimits = { freeBytes: 2 ** 30, ratio: 200 };

/** Bytes whose compression is known, none of them lost. */
export interface SniffedBytes {
  readonly compression: Compression;
  readonly bytes: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Reads just so much of the source as tells how it is compressed. */
export async function sniffCompression(source: AsyncIterable<Uint8Array>): Promise<SniffedBytes> {
  const chunks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < signatureBytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const found = signatures.find(([, signature]) => head.subarray(0, signature.length).equals(signature));
  return { compression: found?.[0] ?? 'none', bytes: replay(head, chunks) };
}

/**
 * The plain bytes of what may be compressed. Never a program of the container's runs for it; InvalidArgument for what is
 * damaged, or expands beyond all measure.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  limits: ExpansionLimits = defaultLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { compression, bytes } = await sniffCompression(source);
  yield* decompressAs(compression, bytes, limits);
}

/** The same, where it is known how they are compressed. */
export async function* decompressAs(
  compression: Compression,
  bytes: AsyncIterable<Uint8Array>,
  limits: ExpansionLimits = defaultLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === 'none') {
    yield* bytes;
    return;
  }
  const sent = { bytes: 0 };
  let expandedBytes = 0;
  for await (const chunk of expand(compression, count(bytes, sent))) {
    expandedBytes += chunk.length;
    if (expandedBytes > limits.freeBytes + limits.ratio * sent.bytes)
      throw new EngineError(
        'InvalidArgument',
        `archive expands to more than ${limits.ratio} times its size: send it without compression`,
      );
    yield chunk;
  }
}

function expand(
  compression: Exclude<Compression, 'none'>,
  packed: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  const decoder = compression === 'gzip' ? zlib.createGunzip() : createZstd(compression);
  if (!decoder) return filterThrough(programs[compression as keyof typeof programs], packed);
  // The error reaches whoever reads the decoder.
  pipeline(Readable.from(packed, { objectMode: false }), decoder, () => undefined);
  return decoder as AsyncIterable<Uint8Array>;
}

// Newer versions of Node have it.
function createZstd(compression: Compression): Transform | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (compression !== 'zstd' || typeof create !== 'function') return undefined;
  return Reflect.apply(create, zlib, []) as Transform;
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
  try {
    if (head.length > 0) yield head;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
