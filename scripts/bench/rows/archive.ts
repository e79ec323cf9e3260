import { randomBytes } from 'node:crypto';
import { packTar } from '../../../test/support/image-builder.ts';
import { createContainer, removeContainer } from '../containers.ts';
import type { Daemon } from '../daemons.ts';
import { timeMs, type InterleavedRow, type Session } from '../row.ts';

const BIG_BYTES = 256_000_000;
const SMALL_FILES = 20_000;
const SMALL_BYTES = 512;

/** Puts a tar into a new container and gets it back, which has to be as long; answers the seconds of each. */
async function putAndGet(
  { client }: Daemon,
  tar: Buffer,
): Promise<{ readonly put: number; readonly get: number }> {
  const id = await createContainer(client, ['true']);
  const putMs = await timeMs(() => client.expect('PUT', `/containers/${id}/archive?path=/tmp`, tar));
  let bytes = 0;
  const getMs = await timeMs(async () => {
    const archive = await client.stream('GET', `/containers/${id}/archive?path=/tmp/data`);
    for await (const chunk of archive) bytes += (chunk as Buffer).length;
  });
  await removeContainer(client, id);
  if (Math.abs(bytes / tar.length - 1) > 0.1)
    throw new Error(`${String(bytes)} bytes came back of ${String(tar.length)}`);
  return { put: putMs / 1e3, get: getMs / 1e3 };
}

async function beginWith(daemon: Daemon, tar: Promise<Buffer>, amount: number): Promise<Session> {
  const packed = await tar;
  return {
    async round() {
      const { put, get } = await putAndGet(daemon, packed);
      return [amount / put, amount / get];
    },
  };
}

function bigFile(): Promise<Buffer> {
  const content = Buffer.alloc(BIG_BYTES, randomBytes(1_000_000));
  return packTar([{ path: 'data', type: 'file', content }]);
}

function smallFiles(): Promise<Buffer> {
  const content = randomBytes(SMALL_BYTES);
  const files = Array.from({ length: SMALL_FILES }, (_, index) => ({
    path: `data/${String(index % 100)}/${String(index)}`,
    type: 'file' as const,
    content,
  }));
  const directories = Array.from({ length: 100 }, (_, index) => ({
    path: `data/${String(index)}`,
    type: 'directory' as const,
  }));
  return packTar([{ path: 'data', type: 'directory' }, ...directories, ...files]);
}

/** `docker cp`, both ways. */
export const ARCHIVE_ROWS: readonly InterleavedRow[] = [
  {
    figures: [
      { name: 'archive: put of one big file', unit: 'MB/s', goal: { atLeast: 1.5 } },
      { name: 'archive: get of one big file', unit: 'MB/s', goal: { atLeast: 1.5 } },
    ],
    rounds: 5,
    begin: (daemon) => beginWith(daemon, bigFile(), BIG_BYTES / 1e6),
  },
  {
    figures: [
      { name: 'archive: put of 20,000 small files, files', unit: 'per s', goal: { atLeast: 2 } },
      { name: 'archive: get of 20,000 small files, files', unit: 'per s', goal: { atLeast: 1.5 } },
    ],
    rounds: 3,
    begin: (daemon) => beginWith(daemon, smallFiles(), SMALL_FILES),
  },
];
