import { beforeEach, describe, expect, test } from 'vitest';
import { createFakeContainerd } from '../../test/support/fake-containerd.ts';
import { makeImage } from '../../test/support/records.ts';
import type { Images } from '../containerd/types.ts';
import { EngineError } from '../errors.ts';
import { createImageStore, type Image, type ImageStore, type NewImageName } from './image-store.ts';

const first = makeImage('1', ['a']);
const second = makeImage('2', ['b']);
let records: Images;
let store: ImageStore;

function tag(name: string, image: Image): NewImageName {
  return { name: `docker.io/library/${name}`, kind: 'tag', imageId: image.id, target: image.manifest };
}

async function recordNames(): Promise<readonly string[]> {
  return (await records.list()).map(({ name }) => name).sort();
}

beforeEach(() => {
  records = createFakeContainerd().containerd.images;
  store = createImageStore(records);
});

describe('names of images', () => {
  test('are records in containerd', async () => {
    await store.put(first, [tag('x:1', first), tag('x:2', first)]);
    expect(await recordNames()).toEqual(['docker.io/library/x:1', 'docker.io/library/x:2']);
    expect(store.findName('docker.io/library/x:1')?.imageId).toBe(first.id);
    expect(store.namesOf(first.id).map(({ name }) => name)).toEqual([
      'docker.io/library/x:1',
      'docker.io/library/x:2',
    ]);
  });

  test('that move leave the image they come from dangling, kept by a record that nobody can name', async () => {
    await store.put(first, [tag('x:1', first)]);
    await store.put(second, [tag('x:1', second)]);
    expect(await recordNames()).toEqual([`berth-dangling@${first.id}`, 'docker.io/library/x:1']);
    expect((await records.get('docker.io/library/x:1')).target.digest).toBe(second.manifest.digest);
    expect(store.get(first.id)).toBe(first);
    expect(store.namesOf(first.id)).toEqual([]);
    expect(store.findName(`berth-dangling@${first.id}`)).toBeUndefined();
  });

  test('given to a dangling image take the place of that record', async () => {
    await store.put(first, []);
    expect(await recordNames()).toEqual([`berth-dangling@${first.id}`]);
    await store.put(first, [tag('x:1', first)]);
    expect(await recordNames()).toEqual(['docker.io/library/x:1']);
  });

  test('are taken away one by one, and with the image all at once', async () => {
    await store.put(first, [tag('x:1', first), tag('x:2', first)]);
    await store.removeName('docker.io/library/x:1');
    expect(await recordNames()).toEqual(['docker.io/library/x:2']);
    await store.removeName('docker.io/library/x:2');
    expect(await recordNames()).toEqual([`berth-dangling@${first.id}`]);
    await store.remove(first.id);
    expect(await recordNames()).toEqual([]);
    expect(store.list()).toEqual([]);
  });

  test('keep the manifest that each was given with: of several the image has the latest that is left', async () => {
    const repacked = { ...first, manifest: second.manifest };
    await store.put(first, [tag('x:1', first)]);
    await store.put(repacked, [tag('x:2', repacked)]);
    expect(store.get(first.id)?.manifest).toBe(second.manifest);
    await store.removeName('docker.io/library/x:2');
    expect(store.get(first.id)?.manifest).toBe(first.manifest);
    await store.put(repacked, [tag('x:1', repacked)]);
    expect(store.get(first.id)?.manifest).toBe(second.manifest);
  });

  test('survive the process', async () => {
    await store.put(first, [
      tag('x:1', first),
      { ...tag(`x@${first.manifest.digest}`, first), kind: 'digest' },
    ]);
    await store.put(second, []);
    const later = createImageStore(records);
    const found = await later.readRecords();
    expect([...found.keys()].sort()).toEqual([first.manifest.digest, second.manifest.digest].sort());
    for (const image of [first, second]) later.restore(image, found.get(image.manifest.digest) ?? []);
    expect(later.namesOf(first.id).map(({ kind }) => kind)).toEqual(['tag', 'digest']);
    expect(later.namesOf(second.id)).toEqual([]);
    expect(later.findName('docker.io/library/x:1')).toEqual(store.findName('docker.io/library/x:1'));
  });
});

test('an image whose first name cannot be stored is not in the store', async () => {
  const failing: Images = {
    ...records,
    create: async () => Promise.reject(new EngineError('Unavailable', 'gone')),
  };
  const fragile = createImageStore(failing);
  await expect(fragile.put(first, [tag('x:1', first)])).rejects.toThrow('gone');
  expect(fragile.list()).toEqual([]);
});

test('an id is found by the beginning of its digits', async () => {
  await store.put(first, [tag('x:1', first)]);
  await store.put(second, [tag('x:2', second)]);
  expect(store.findByIdPrefix('1').map(({ id }) => id)).toEqual([first.id]);
  expect(store.findByIdPrefix('')).toHaveLength(2);
  expect(store.findByIdPrefix('f')).toEqual([]);
});
