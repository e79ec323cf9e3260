import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { packTar } from '../support/image-builder.ts';

// What clients see of archives that are none, and of names that lead nowhere.

let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
});
afterAll(async () => {
  await fake.close();
});

async function load(archive: Buffer): Promise<{ readonly status: number; readonly body: string }> {
  const connection = await fake.api.open('POST', '/images/load?quiet=1', {
    headers: { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.length) },
  });
  connection.send(archive);
  const { status, body } = await connection.readResponse();
  connection.close();
  return { status, body: body.toString() };
}

const manifest = (value: unknown): Promise<Buffer> =>
  packTar([{ path: 'manifest.json', type: 'file', content: JSON.stringify(value) }]);

describe('an archive that cannot be loaded is a line of the answer, at which clients fail', () => {
  test.each<[string, () => Promise<Buffer>, RegExp]>([
    ['no tar', () => Promise.resolve(Buffer.from('abc')), /invalid archive/],
    ['a tar without images', () => packTar([]), /manifest\.json/],
    ['a configuration outside', () => manifest([{ Config: '../../etc/passwd', Layers: [] }]), /no file/],
    ['a list that is none', () => manifest({}), /not a list/],
    ['a truncated tar', async () => (await manifest([])).subarray(0, 700), /invalid archive/],
  ])('%s', async (_, make, words) => {
    const { status, body } = await load(await make());
    expect(status).toBe(200);
    const { error, errorDetail } = JSON.parse(body) as {
      readonly error: string;
      readonly errorDetail: { readonly message: string };
    };
    expect(error).toMatch(words);
    expect(errorDetail.message).toBe(error);
  });

  test('and nothing of it stays', async () => {
    const { leases, content } = fake.job.store;
    expect((await leases.list()).filter(({ id }) => id.startsWith('berth-image-'))).toEqual([]);
    expect(await content.statuses()).toEqual([]);
  });
});

describe('before any byte of an answer, an error has its status', () => {
  test.each([
    ['GET', '/images/nobody/get', 404],
    ['GET', '/images/get?names=app&names=nobody', 404],
    ['GET', '/images/app/get?platform=nonsense', 400],
    ['GET', '/images/search?term=x', 501],
    ['GET', '/distribution/UPPER/json', 400],
    ['GET', '/distribution/app/json', 404],
    ['POST', '/images/create?fromSrc=http://169.254.169.254/x', 403],
    ['POST', '/commit?container=nobody', 404],
  ])('%s %s', async (method, path, ...rest) => {
    const [status] = rest;
    const answer = method === 'GET' ? await fake.api.get(path) : await fake.api.post(path);
    expect(answer.status).toBe(status);
    expect(answer.message).not.toBe('');
  });
});

describe('POST /auth', () => {
  test.each([
    ['file:///etc/passwd', 400],
    ['http://user:word@host.example', 400],
  ])('at %s is refused without a request', async (serveraddress, status) => {
    const before = fake.registryCalls();
    const answer = await fake.api.post('/auth', { username: 'u', password: 'p', serveraddress });
    expect(answer.status).toBe(status);
    expect(answer.message).not.toContain('word');
    expect(fake.registryCalls()).toBe(before);
  });
});
