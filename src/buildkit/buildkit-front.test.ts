import { createHash, randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import type { FakeBuildClient } from '../../test/support/build-client.ts';
import { build, useFront } from '../../test/support/build-front.ts';
import { EngineError } from '../errors.ts';
import { loadMethods } from './definitions.ts';
import type { BuildSession } from './types.ts';

const CONTEXT = { directory: 'context', include: [], exclude: [] };
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;
const GO_SETUID = 2 ** 23;

const front = useFront();

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly digest: string;
}

async function readEntries(session: BuildSession, signal: AbortSignal): Promise<Entry[]> {
  const archive = extract();
  session
    .openFiles(CONTEXT, signal)
    .on('error', (error) => archive.destroy(error))
    .pipe(archive);
  const entries: Entry[] = [];
  for await (const entry of archive) {
    const hash = createHash('sha256');
    for await (const chunk of entry) hash.update(chunk as Buffer);
    const { name, type, mode } = entry.header;
    entries.push({ name, type, mode, digest: hash.digest('hex') });
  }
  return entries;
}

const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('files of all kinds and lengths arrive as they are', async () => {
  const long = randomBytes(5 * 1024 * 1024);
  const many = Array.from({ length: 150 }, (_, index) => ({
    path: `d/f${index}`,
    bytes: randomBytes(20_000),
  }));
  const files = [
    { path: 'd', mode: GO_DIRECTORY + 0o755 },
    ...many,
    { path: 'empty' },
    { path: 'link', mode: GO_SYMLINK + 0o777, linkname: '../elsewhere' },
    { path: 'long', bytes: long },
    { path: 'same', bytes: Buffer.alloc(3), linkname: 'empty' },
    { path: 'tool', mode: GO_SETUID + 0o755, bytes: Buffer.from('x') },
  ];
  let entries: Entry[] = [];
  const asking = await front.connectWith({ files }, async ({ session, signal }) => {
    entries = await readEntries(session, signal);
    return {};
  });
  await build(asking);
  expect(entries.map(({ name }) => name)).toEqual(files.map(({ path }) => (path === 'd' ? 'd/' : path)));
  const named = new Map(entries.map((entry) => [entry.name, entry]));
  expect(named.get('d/')).toMatchObject({ type: 'directory', mode: 0o755 });
  expect(named.get('link')).toMatchObject({ type: 'symlink' });
  expect(named.get('same')).toMatchObject({ type: 'link' });
  expect(named.get('tool')).toMatchObject({ type: 'file', mode: 0o4755 });
  expect(named.get('long')?.digest).toBe(digestOf(long));
  for (const { path, bytes } of many) expect(named.get(path)?.digest).toBe(digestOf(bytes));
});

test.each([1, -1])('a file whose length is wrong by %i fails the build', async (sizeError) => {
  const offer = { files: [{ path: 'f', bytes: randomBytes(70_000) }], sizeError };
  const asking = await front.connectWith(offer, async ({ session, signal }) => {
    await readEntries(session, signal);
    return {};
  });
  await expect(build(asking)).rejects.toThrow('file "f" changed while it was read');
});

test('a client that names without end is stopped', { timeout: 30_000 }, async () => {
  const path = 'n'.repeat(3 * 1024 * 1024);
  const files = Array.from({ length: 100 }, () => ({ path }));
  const asking = await front.connectWith({ files }, async ({ session, signal }) => {
    await readEntries(session, signal);
    return {};
  });
  await expect(build(asking)).rejects.toThrow('the build context has names of more than 268435456 bytes');
});

test('patterns go to the client, the ones that are not ASCII too', async () => {
  const asking = await front.connectWith({}, async ({ session, signal }) => {
    const selection = { directory: 'context', include: ['*.c'], exclude: ['ä', 'b c'] };
    await finished(session.openFiles(selection, signal).resume());
    return {};
  });
  await build(asking);
  expect(asking.asked).toMatchObject([
    {
      'dir-name': 'context',
      'include-patterns': '*.c',
      'exclude-patterns': '%C3%A4, b%20c',
      'exclude-patterns-encoded': '1',
    },
  ]);
});

test('logins and secrets are those of the client', async () => {
  const offer = { secrets: { token: 'hush' }, logins: { 'reg.test': { Username: 'me', Secret: 'pw' } } };
  const asking = await front.connectWith(offer, async ({ session }) => {
    expect(await session.findCredentials('reg.test')).toEqual({ username: 'me', secret: 'pw' });
    expect(await session.findCredentials('other.test')).toBeUndefined();
    expect(Buffer.from(await session.readSecret('token')).toString()).toBe('hush');
    await session.readSecret('none');
    return {};
  });
  await expect(build(asking)).rejects.toMatchObject({
    kind: 'NotFound',
    message: 'build client: secret none: not found',
  });
});

test('a build that its client drives is answered when the client returns its result', async () => {
  const asking = await front.connectWith({}, ({ options, exporter, exporterOptions }) =>
    Promise.resolve({ made: `${options['target'] ?? ''} ${exporter} ${exporterOptions['name'] ?? ''}` }),
  );
  const { Ping, Solve, Return } = await loadMethods('gateway');
  const asked = build(asking, { Frontend: '', Exporter: 'moby', ExporterAttrs: { name: 'x' } });
  const gateway = { control: withBuildId(asking.control) };
  expect((await gateway.control.unary(Ping, {})).FrontendAPICaps.map(({ ID }) => ID)).toContain('solve.base');
  const solved = await gateway.control.unary(Solve, {
    Frontend: 'dockerfile.v0',
    FrontendOpt: { target: 't' },
  });
  await gateway.control.unary(Return, { result: { ref: { id: solved.result?.ref?.id ?? '' } } });
  expect(await asked).toEqual({ made: 't moby x' });
});

test('a build that fails fails its client, by its words', async () => {
  const asking = await front.connectWith({}, () =>
    Promise.reject(new EngineError('Internal', 'exit code: 3')),
  );
  await expect(build(asking)).rejects.toThrow('build client: exit code: 3');
});

test('a client that leaves ends its build', async () => {
  let ended: (value: unknown) => void = () => undefined;
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  const asking = await front.connectWith({}, ({ signal }) => {
    asking.leave();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        ended(signal.aborted);
        reject(new EngineError('Cancelled', 'cancelled'));
      });
    });
  });
  build(asking).catch(() => undefined);
  expect(await end).toBe(true);
});

test('another frontend is refused by name', async () => {
  const asking = await front.connectWith({}, () => Promise.resolve({}));
  await expect(build(asking, { Frontend: 'gateway.v0' })).rejects.toThrow(
    'frontend "gateway.v0" is not supported',
  );
});

/** The same calls with the build's name in their metadata. */
function withBuildId(control: FakeBuildClient['control']): FakeBuildClient['control'] {
  const metadata = { 'buildkit-controlapi-buildid': 'build-1' };
  return {
    ...control,
    async unary(method, request) {
      const call = control.open(method, metadata);
      call.send(request);
      call.end();
      for await (const answer of call.messages) return answer;
      throw new Error('no answer');
    },
  };
}
