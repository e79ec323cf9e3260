import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { startFakeJob, type FakeJob } from '../../../test/support/fake-job.ts';
import { onTestFinished } from 'vitest';
import { importImage } from './import-image.ts';
import { listImages } from './list-images.ts';
import { removeImage } from './remove-image.ts';
import { saveImages } from './save-images.ts';
import { createImage } from './create-image.ts';
import { withImageWork } from './image-work.ts';
import { nameNewImage } from './name-new-image.ts';
import { pruneImages } from '../system/prune-images.ts';
import { resolveImage } from './resolve-image.ts';
import { historyImage } from './history-image.ts';
import { parseReference } from '../../oci/reference.ts';

// Images that were made here, one from the other.

let fake: FakeJob;
const never = new AbortController().signal;
const report = (): void => undefined;

beforeEach(async () => {
  const started = await startFakeJob();
  fake = started;
  onTestFinished(() => started.close());
});

/** An image on top of another one that changes nothing but the comment. */
async function derive(from: string, comment: string, name?: string): Promise<string> {
  const { job } = fake;
  return withImageWork({ job, report, signal: never }, async (work) => {
    const base = resolveImage(job, from);
    const step = { created: '', createdBy: comment, author: '', comment, emptyLayer: true };
    const config = { ...base.config, comment, history: [...base.config.history, step] };
    const image = await createImage(work, { config, layers: base.layers, parentId: base.id });
    await nameNewImage(work, image, name === undefined ? undefined : parseReference(name));
    return image.id;
  });
}

const idsOf = (all: boolean): readonly string[] =>
  listImages(fake.job, { filters: new Map(), sharedSize: false, all }).map(({ Id }) => Id);

describe('an image that others were made from', () => {
  test('is not removed by its id, not even by force, and by its name only loses that', async () => {
    const app = resolveImage(fake.job, 'app');
    await derive('app', 'child', 'child:1');
    for (const force of [false, true])
      await expect(removeImage(fake.job, app.id, { force })).rejects.toMatchObject({
        kind: 'Conflict',
        message: `conflict: unable to delete ${app.id.slice(7, 19)} (cannot be forced) - image has dependent child images`,
      });
    expect(await removeImage(fake.job, 'app', { force: false })).toEqual([{ Untagged: 'app:latest' }]);
    expect(fake.job.images.get(app.id)).toBeDefined();
  });

  test('is listed without a name only when all are asked for', async () => {
    const app = resolveImage(fake.job, 'app').id;
    const child = await derive('app', 'child', 'child:1');
    await removeImage(fake.job, 'app', { force: false });
    expect(idsOf(false)).toEqual([child]);
    expect([...idsOf(true)].sort()).toEqual([app, child].sort());
  });

  test('goes with the last one of them, unless it is to stay', async () => {
    const app = resolveImage(fake.job, 'app').id;
    const middle = await derive('app', 'middle');
    await derive(middle, 'last', 'last:1');
    await removeImage(fake.job, 'last:1', { force: false, keepParents: true });
    expect(fake.job.images.get(middle)).toBeDefined();
    await derive(middle, 'last', 'last:1');
    const items = await removeImage(fake.job, 'last:1', { force: false });
    expect(items).toContainEqual({ Deleted: middle });
    expect(fake.job.images.list().map(({ id }) => id)).toEqual([app]);
  });

  test('is pruned after them', async () => {
    await derive('app', 'child', 'child:1');
    await pruneImages(fake.job, new Map([['dangling', ['false']]]));
    expect(fake.job.images.list()).toEqual([]);
  });

  test('has its place in the history of the others', async () => {
    const app = resolveImage(fake.job, 'app').id;
    const child = await derive('app', 'child', 'child:1');
    expect((await historyImage(fake.job, 'child:1')).map(({ Id, Tags }) => [Id, Tags])).toEqual([
      [child, ['child:1']],
      [app, ['app:latest']],
    ]);
  });
});

describe('what breaks off leaves nothing', () => {
  async function left(): Promise<object> {
    const { content, leases, snapshots } = fake.job.store;
    return {
      leases: (await leases.list()).map(({ id }) => id),
      writes: (await content.statuses()).length,
      snapshots: (await snapshots.list()).map(({ name }) => name),
    };
  }

  test('an import whose client goes', async () => {
    const before = await left();
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve(Buffer.alloc(1024));
        throw new Error('gone');
      })(),
    );
    const request = {
      tar: broken as AsyncIterable<Uint8Array>,
      reference: undefined,
      message: '',
      changes: [],
      platform: '',
    };
    await expect(importImage(fake.job, { ...request, report, signal: never })).rejects.toThrow('gone');
    expect(await left()).toEqual(before);
  });

  test('a save whose reader goes', async () => {
    const before = await left();
    const send = (tar: Readable): Promise<void> => {
      tar.destroy();
      return Promise.reject(new Error('gone'));
    };
    await expect(saveImages(fake.job, { names: ['app'], platform: '', signal: never, send })).rejects.toThrow(
      'gone',
    );
    expect(await left()).toEqual(before);
  });

  test('a save that was read to its end', async () => {
    const before = await left();
    let size = 0;
    const send = async (tar: Readable): Promise<void> => {
      size = (await buffer(tar)).length;
    };
    await saveImages(fake.job, { names: ['app', 'app:latest'], platform: '', signal: never, send });
    expect(size % 512).toBe(0);
    expect(await left()).toEqual(before);
  });
});
