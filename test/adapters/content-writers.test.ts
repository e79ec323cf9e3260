import { randomBytes, randomUUID } from 'node:crypto';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { openChannel, type Channel } from '../../src/containerd/channel.ts';
import { createContent } from '../../src/containerd/content.ts';
import { writeContent } from '../../src/containerd/content-write.ts';
import { createDeferred } from '../../src/lib/deferred.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';
import { digestOf, inPieces } from './containerd-suite.ts';

const scope = { namespace: 'writers', leaseId: undefined };

let real: RealContainerd;
let channel: Channel;
beforeAll(async () => {
  real = await startRealContainerd();
  channel = openChannel(real.address);
});
afterAll(async () => {
  channel.close();
  await real.stop();
});

test('a writer whose predecessor does not get on writes by itself', async () => {
  const content = createContent(channel, scope);
  const bytes = randomBytes(100_000);
  const blob = { ref: randomUUID(), size: bytes.length, digest: digestOf(bytes) };
  const [begun, silent, leave] = [
    createDeferred<undefined>(),
    createDeferred<undefined>(),
    new AbortController(),
  ];
  const stuck = async function* (): AsyncGenerator<Uint8Array> {
    begun.resolve(undefined);
    await silent.promise;
    yield bytes;
  };
  const first = content.write(blob, stuck(), leave.signal);
  first.catch(() => undefined);
  await begun.promise;
  const context = { caller: channel.caller('content', scope), content, patienceMs: 50 };
  const written = await writeContent(context, blob, inPieces(bytes, 4096));
  expect(written).toEqual({ digest: blob.digest, size: bytes.length, alreadyPresent: false });
  leave.abort();
  silent.resolve(undefined);
  await expect(first).rejects.toThrow(/cancel/i);
  await content.delete(blob.digest);
});
