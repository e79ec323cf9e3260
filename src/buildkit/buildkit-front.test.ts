import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EngineError } from '../errors.ts';
import { createBuildkitFront } from './buildkit-front.ts';
import { loadMethods } from './definitions.ts';
import { startBuildClient, type FakeBuildClient, type Offer } from '../../test/support/build-client.ts';
import type { BuildSession, SolveProgress, SolveRequest, Solver } from './types.ts';

const CONTEXT = { directory: 'context', include: [], exclude: [] };
const GO_DIRECTORY = 2 ** 31;
const GO_SYMLINK = 2 ** 27;
const GO_SETUID = 2 ** 23;

let client: FakeBuildClient | undefined;
let failures: unknown[] = [];
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-buildkit-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

afterEach(() => {
  client?.leave();
  expect(failures).toEqual([]);
  failures = [];
});

type Work = (
  request: SolveRequest,
  report: (progress: SolveProgress) => void,
) => Promise<Readonly<Record<string, string>>>;

/** Two ends of a connection: real sockets, as the daemon has them. */
async function connectedPair(): Promise<[Duplex, Duplex]> {
  const path = join(directory, String(Math.random()).slice(2));
  const server = createServer().listen(path);
  await once(server, 'listening');
  const near = connect(path);
  const [far] = (await once(server, 'connection')) as [Duplex];
  far.on('error', () => undefined);
  server.close();
  return [near, far];
}

async function connectWith(offer: Offer, work: Work): Promise<FakeBuildClient> {
  const front = createBuildkitFront((error) => failures.push(error));
  const solver: Solver = { solve: work, prune: () => Promise.resolve(7) };
  const [control, served] = await connectedPair();
  void front.serveControl(served, solver);
  const openSession = async (methods: readonly string[]): Promise<Duplex> => {
    const [session, kept] = await connectedPair();
    front.keepSession(kept, { id: 'session-1', methods }).catch(() => undefined);
    return session;
  };
  client = await startBuildClient({ control, openSession }, offer);
  return client;
}

/** Asks for a build as one call, and answers what came of it. */
async function build(
  { control }: FakeBuildClient,
  asked: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, string>>> {
  const { Solve } = await loadMethods('control');
  const request = { Ref: 'build-1', Session: 'session-1', Frontend: 'dockerfile.v0', ...asked };
  return (await control.unary(Solve, request)).ExporterResponse;
}

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
  const asking = await connectWith({ files }, async ({ session, signal }) => {
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
  const asking = await connectWith(offer, async ({ session, signal }) => {
    await readEntries(session, signal);
    return {};
  });
  await expect(build(asking)).rejects.toThrow('file "f" changed while it was read');
});

test('patterns go to the client, the ones that are not ASCII too', async () => {
  const asking = await connectWith({}, async ({ session, signal }) => {
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
  const asking = await connectWith(offer, async ({ session }) => {
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
  const asking = await connectWith({}, ({ options, exporter, exporterOptions }) =>
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
  const asking = await connectWith({}, () => Promise.reject(new EngineError('Internal', 'exit code: 3')));
  await expect(build(asking)).rejects.toThrow('build client: exit code: 3');
});

test('the status tells what went before it was asked for, and ends with the build', async () => {
  const step = {
    digest: 'sha256:1',
    name: 'FROM x',
    inputs: [],
    isCached: true,
    startedAt: 1_500,
    completedAt: undefined,
    error: '',
  };
  const asking = await connectWith({}, (_request, report) => {
    report({ kind: 'step', step });
    report({ kind: 'log', digest: 'sha256:1', isError: true, bytes: Buffer.from('words') });
    return Promise.resolve({});
  });
  await build(asking);
  const { Status } = await loadMethods('control');
  const call = asking.control.open(Status, {});
  call.send({ Ref: 'build-1' });
  call.end();
  const told = [];
  for await (const status of call.messages) told.push(status);
  expect(told[0]?.vertexes).toMatchObject([
    {
      digest: 'sha256:1',
      name: 'FROM x',
      cached: true,
      started: { seconds: 1, nanos: 500_000_000 },
      completed: null,
    },
  ]);
  expect(told[1]?.logs).toMatchObject([{ stream: 2, msg: Buffer.from('words') }]);
  expect(told).toHaveLength(2);
});

test('a client that leaves ends its build', async () => {
  let ended: (value: unknown) => void = () => undefined;
  const end = new Promise((resolve) => {
    ended = resolve;
  });
  const asking = await connectWith({}, ({ signal }) => {
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
  const asking = await connectWith({}, () => Promise.resolve({}));
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
