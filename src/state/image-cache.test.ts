import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeContainerd } from '../../test/support/fake-containerd.ts';
import type { Images } from '../containerd/types.ts';
import { createLogger } from '../logger.ts';
import { createImageCache, type ImageCache } from './image-cache.ts';

const image = { mediaType: 'manifest', digest: 'sha256:1', size: 1, name: 'app:1' };
let images: Images;
let cache: ImageCache;
let nowMs: number;

beforeEach(() => {
  images = createFakeContainerd().containerd.images;
  nowMs = 1_000_000;
  cache = createImageCache({
    images,
    scope: 'team',
    highPercent: 80,
    lowPercent: 70,
    usedPercent: () => Promise.resolve(0),
    nowMs: () => nowMs,
    log: createLogger('silent'),
  });
});

async function uses(): Promise<readonly (string | undefined)[]> {
  return (await images.list()).map(({ labels }) => labels['berth/cache.used']);
}

describe('an image that is kept', () => {
  test('is there when that is answered', async () => {
    await cache.keep(image);
    expect(await uses()).toEqual(['1000000']);
  });

  test('and used again has its use written down later, not to the minute', async () => {
    await cache.keep(image);
    nowMs += 59_000;
    await cache.keep(image);
    await cache.noteUses();
    expect(await uses()).toEqual(['1000000']);
    nowMs += 1_000;
    await cache.keep(image);
    expect(await uses()).toEqual(['1000000']);
    await cache.noteUses();
    expect(await uses()).toEqual(['1060000']);
  });

  test('and dropped since its use stays so', async () => {
    await cache.keep(image);
    nowMs += 60_000;
    await cache.keep(image);
    for (const { name } of await images.list()) await images.delete(name);
    await cache.noteUses();
    expect(await uses()).toEqual([]);
  });
});
