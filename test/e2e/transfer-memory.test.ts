import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { startBerth, type Berth } from '../support/e2e-berth.ts';
import { packTar } from '../support/image-builder.ts';
import { serveScript } from '../support/scripted-server.ts';

// Whatever an image has, berth has only a piece of it: bytes go through, from one socket to another.

const LAYERS = 4;
const FILE_BYTES = 256 * 1024 * 1024;
const BLOCK = randomBytes(1024 * 1024);
const PULL_LIMIT_MIB = 150;
const ARCHIVE_LIMIT_MIB = 200;
const REPOSITORY = '/v2/team/large';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** A tar of one large file, made as it is read: never in memory, and hardly any work. */
interface LargeLayer {
  readonly digest: string;
  readonly size: number;
  readonly stream: () => Generator<Uint8Array>;
}

async function makeLayer(index: number): Promise<LargeLayer> {
  // The header of a file without content is its first block; the size is written into it, and its sum again.
  const header = (await packTar([{ path: `large-${index}`, type: 'file', content: '' }])).subarray(0, 512);
  header.write(`${FILE_BYTES.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const stream = function* (): Generator<Uint8Array> {
    yield header;
    for (let left = FILE_BYTES; left > 0; left -= BLOCK.length) yield BLOCK;
    yield Buffer.alloc(1024);
  };
  const hash = createHash('sha256');
  let size = 0;
  for (const bytes of stream()) {
    hash.update(bytes);
    size += bytes.length;
  }
  return { digest: `sha256:${hash.digest('hex')}`, size, stream };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An honest registry with one image of `LAYERS` large layers. */
async function serveLargeImage(): Promise<string> {
  const layers = await Promise.all(Array.from({ length: LAYERS }, (_, index) => makeLayer(index)));
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['none'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest,
        size,
      })),
    }),
  );
  const { host } = await serveScript((asked, response) => {
    const url = asked.url ?? '';
    const layer = layers.find(({ digest }) => url === `${REPOSITORY}/blobs/${digest}`);
    if (layer) void sendLayer(layer, response);
    else if (url.startsWith(`${REPOSITORY}/manifests/`))
      response
        .writeHead(200, {
          'content-type': MANIFEST_TYPE,
          'content-length': manifest.length,
          'docker-content-digest': digestOf(manifest),
        })
        .end(asked.method === 'HEAD' ? undefined : manifest);
    else if (url === `${REPOSITORY}/blobs/${digestOf(config)}`) response.end(config);
    else response.writeHead(404).end();
  });
  return `${host}/team/large:1`;
}

async function sendLayer({ size, stream }: LargeLayer, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-length': size });
  await pipeline(Readable.from(stream()), response);
}

/** The most memory that berth itself has had since this was asked last, in MiB. */
async function takePeakMib({ pid }: Berth): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 'NaN') / 1024;
}

function saveImage({ ready }: Berth, image: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/images/${encodeURIComponent(image)}/get`;
    const asked = request({ socketPath: ready.socket, path }, (answer) => {
      pipeline(answer, createWriteStream(file)).then(resolve, reject);
    });
    asked.on('error', reject).end();
  });
}

test(
  'an image of 1 GiB is pulled, saved and loaded in a small part of its size',
  { timeout: 300_000 },
  async () => {
    const image = await serveLargeImage();
    const berth = await startBerth();
    try {
      const pulled = await berth.docker(['pull', '--quiet', image], { timeoutMs: 200_000 });
      expect(pulled).toMatchObject({ code: 0 });
      expect(await takePeakMib(berth)).toBeLessThan(PULL_LIMIT_MIB);
      const file = join(berth.directories.home, 'saved.tar');
      await saveImage(berth, image, file);
      expect(await takePeakMib(berth)).toBeLessThan(ARCHIVE_LIMIT_MIB);
      expect(await berth.docker(['rmi', image])).toMatchObject({ code: 0 });
      const loaded = await berth.docker(['load', '--input', file], { timeoutMs: 200_000 });
      expect(loaded).toMatchObject({ code: 0, stdout: expect.stringContaining(image) as string });
      expect(await takePeakMib(berth)).toBeLessThan(ARCHIVE_LIMIT_MIB);
    } finally {
      const { report } = await berth.stop();
      expect(report?.leaks).toEqual([]);
    }
  },
);
