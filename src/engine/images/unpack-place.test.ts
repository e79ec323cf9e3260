import { describe, expect, test } from 'vitest';
import { partOf } from '../../../test/support/records.ts';
import type { NewSnapshot, SnapshotInfo, Snapshots } from '../../containerd/types-store.ts';
import { EngineError } from '../../errors.ts';
import type { ImageWork } from './image-work.ts';
import type { BelowLayer } from './unpack-layers.ts';
import { openPlace } from './unpack-place.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const layer: BelowLayer = {
  blob: { mediaType: '', digest, size: 1 },
  diffId: digest,
  chainId: digest,
  below: '',
};
const PATIENCE_MS = 60;

/** A snapshotter where another job unpacks; `sizes` are what it has unpacked, look by look, until it leaves. */
function besideAnother(sizes: readonly number[]): {
  readonly work: ImageWork;
  readonly keys: readonly string[];
} {
  const keys: string[] = [];
  const left = [...sizes];
  const snapshots = partOf<Snapshots>({
    prepare({ key }: NewSnapshot) {
      keys.push(key);
      if (keys.length === 1) return Promise.reject(new EngineError('Conflict', 'already exists'));
      return Promise.resolve([]);
    },
    stat: () =>
      left.length > 0
        ? Promise.resolve(partOf<SnapshotInfo>({}))
        : Promise.reject(new EngineError('NotFound', 'not found')),
    usage: () => Promise.resolve({ sizeBytes: left.shift() ?? 0, inodes: 1 }),
  });
  const store = partOf<ImageWork['store']>({ snapshots });
  return { work: partOf<ImageWork>({ store, signal: new AbortController().signal }), keys };
}

describe('a layer that another job unpacks', () => {
  test('is waited for as long as that gets on', async () => {
    const { work, keys } = besideAnother([1, 2, 3, 4]);
    expect(await openPlace(work, layer, { patienceMs: PATIENCE_MS })).toBeUndefined();
    expect(keys).toHaveLength(1);
  });

  test('is unpacked beside it once that is stuck', async () => {
    const { work, keys } = besideAnother([7, 7, 7, 7, 7, 7]);
    const place = await openPlace(work, layer, { patienceMs: PATIENCE_MS });
    expect(keys).toHaveLength(2);
    expect(place?.key).toBe(keys[1]);
    expect(keys[1]).not.toBe(keys[0]);
  });
});
