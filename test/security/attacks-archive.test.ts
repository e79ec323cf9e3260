import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { packTar, type LayerEntry } from '../support/image-builder.ts';
import { createScorecard } from '../support/scorecard.ts';

// docker cp with hostile archives and hostile file systems: a directory stands for the container's root, another beside
// it for the machine.

const score = createScorecard('attacks on docker cp');
let fake: FakeJob;
let root: string;
let outside: string;

beforeAll(async () => {
  fake = await startFakeJob();
});
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), 'berth-outside-'));
  await writeFile(join(outside, 'secret'), 'of the machine');
  const { body } = await fake.api.post('/containers/create?name=box', { Image: 'app' });
  root = await fake.rootOf((body as { readonly Id: string }).Id);
  await mkdir(join(root, 'tmp'));
  await symlink(outside, join(root, 'escape'));
});
afterEach(async () => {
  expect(await readdir(outside)).toEqual(['secret']);
  expect(await readFile(join(outside, 'secret'), 'utf8')).toBe('of the machine');
  await rm(outside, { recursive: true });
  await fake.clear();
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const file = (path: string): LayerEntry => ({ path, type: 'file', content: 'evil' });
const put = (tar: Buffer, path = '/tmp'): ReturnType<FakeJob['api']['put']> =>
  fake.api.put(`/containers/box/archive?path=${encodeURIComponent(path)}`, tar);

describe('archives', () => {
  it.each<[string, () => readonly LayerEntry[]]>([
    ['names that climb', () => [file('../../../../../../../../tmp/berth-outside-x/y'), file('a/../../../x')]],
    ['absolute names', () => [file(`${outside}/new`)]],
    [
      'a link, then a file through it',
      () => [{ path: 'link', type: 'symlink', target: outside }, file('link/new')],
    ],
    [
      'a link that climbs, then a file through it',
      () => [{ path: 'link', type: 'symlink', target: `../../../../..${outside}` }, file('link/new')],
    ],
    [
      'a hard link to the machine',
      () => [{ path: 'hard', type: 'link', target: `${outside}/secret` }, file('hard')],
    ],
    [
      'a hard link that climbs',
      () => [{ path: 'hard', type: 'link', target: `../../../../../..${outside}/secret` }, file('hard')],
    ],
    [
      'a link, then a hard link through it',
      () => [
        { path: 'link', type: 'symlink', target: outside },
        { path: 'hard', type: 'link', target: 'link/secret' },
        file('hard'),
      ],
    ],
    [
      'links in a ring',
      () => [
        { path: 'a', type: 'symlink', target: 'b' },
        { path: 'b', type: 'symlink', target: 'a' },
        file('a/x'),
      ],
    ],
  ])('%s', (_name, entries) =>
    score.row(async () => {
      const { status } = await put(await packTar(entries()));
      expect([200, 400, 403, 404, 409, 500]).toContain(status);
      expect(status, 'a hostile archive is no failure of ours').not.toBe(500);
    }),
  );

  it('a file through a link that was there before', () =>
    score.row(async () => {
      const { status } = await put(await packTar([file('new')]), '/escape');
      expect(status).toBeLessThan(500);
    }));

  it.each<[string, () => Promise<Buffer>]>([
    ['no tar at all', async () => Buffer.from('this is no tar'.repeat(100))],
    ['a tar that is cut', async () => (await packTar([file('x')])).subarray(0, 514)],
    ['a gzip that is none', async () => Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.alloc(600, 7)])],
    [
      'a size of 8 GB in a kilobyte',
      async () => {
        const tar = await packTar([file('x')]);
        tar.write('77777777777\0', 124, 'latin1');
        fixChecksum(tar);
        return tar;
      },
    ],
    [
      'a negative size',
      async () => {
        const tar = await packTar([file('x')]);
        tar.fill(0xff, 124, 136);
        fixChecksum(tar);
        return tar;
      },
    ],
    [
      'a negative size, and nothing behind it',
      async () => {
        const tar = await packTar([{ path: 'x', type: 'file', content: '' }]);
        tar.fill(0xff, 124, 136);
        fixChecksum(tar);
        return tar;
      },
    ],
    [
      'a file with holes of a petabyte',
      async () => {
        const records = '22 GNU.sparse.major=1\n37 GNU.sparse.realsize=1125899906842624\n';
        const pax = await packTar([{ path: 'x', type: 'file', content: records }]);
        pax.write('x', 156, 'latin1');
        fixChecksum(pax);
        return Buffer.concat([pax.subarray(0, 1024), await packTar([file('x')])]);
      },
    ],
  ])('146 %s: 400', (_name, make) =>
    score.row(async () => {
      expect(await put(await make())).toMatchObject({ status: 400 });
    }),
  );
});

describe('paths', () => {
  it.each<[string, string, readonly number[]]>([
    ['through a link', '/escape/secret', [404]],
    ['through a link that climbs', '/tmp/../escape/secret', [404]],
    ['nothing', '', [400]],
    ['NUL', '/tmp/\0', [400]],
    ['154 64 kB', `/${'x/'.repeat(32_768)}`, [400, 404]],
    ['climbing', '/../../../../../../etc/shadow', [404]],
  ])('GET %s', (_name, path, statuses) =>
    score.row(async () => {
      const { status, message } = await fake.api.get(
        `/containers/box/archive?path=${encodeURIComponent(path)}`,
      );
      expect(statuses).toContain(status);
      expect(message).not.toContain(root);
    }),
  );

  it('not UTF-8', () =>
    score.row(async () => {
      expect([400, 404]).toContain((await fake.api.get('/containers/box/archive?path=%ff%fe')).status);
    }));

  it('a link by itself is described, not followed', () =>
    score.row(async () => {
      const { status, headers } = await fake.api.get('/containers/box/archive?path=/escape');
      expect(status).toBe(200);
      const stat = Buffer.from(headers.get('x-docker-container-path-stat') ?? '', 'base64').toString();
      expect(JSON.parse(stat)).toMatchObject({ name: 'escape', size: expect.any(Number) as number });
    }));
});

function fixChecksum(tar: Buffer): void {
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
