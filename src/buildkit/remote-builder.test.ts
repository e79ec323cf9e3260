import { extract } from 'tar-stream';
import { afterEach, expect, test } from 'vitest';
import { build, useFront } from '../../test/support/build-front.ts';
import {
  startFakeBuildkitd,
  type FakeBuildkitd,
  type RemoteWork,
} from '../../test/support/fake-buildkitd.ts';
import { loadMethods } from './definitions.ts';
import { receiveFiles } from './receive-files.ts';
import { createRemoteBuilder } from './remote-builder.ts';
import type { SessionCalls } from './session-calls.ts';
import type { RemoteSolve, SolveProgress, SolveRequest } from './types.ts';

const front = useFront();
const daemons: FakeBuildkitd[] = [];

afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.stop();
});

type Asked = Pick<RemoteSolve, 'exporter'> & Partial<RemoteSolve>;

/** The solver of a door that has all its builds carried out by a builder with this work. */
async function builderOf(work: RemoteWork): Promise<(solve: SolveRequest, asked: Asked) => Promise<object>> {
  const daemon = await startFakeBuildkitd(work);
  daemons.push(daemon);
  const builder = createRemoteBuilder(daemon);
  return async ({ session, signal }, asked) => {
    const told: SolveProgress[] = [];
    const answer = await builder.solve(
      {
        options: {},
        exporterOptions: {},
        definition: new Map([['Dockerfile', Buffer.from('FROM looked-at\n')]]),
        takeImage: () => Promise.reject(new Error('no image was to come')),
        ...{ session, signal },
        ...asked,
      },
      (progress) => {
        told.push(progress);
        return Promise.resolve();
      },
    );
    return { answer, told };
  };
}

async function namesIn(calls: SessionCalls, directory: string): Promise<Readonly<Record<string, string>>> {
  const { DiffCopy } = await loadMethods('filesync');
  const archive = extract();
  receiveFiles(calls.open(DiffCopy, { 'dir-name': directory }), AbortSignal.timeout(10_000)).pipe(archive);
  const found: Record<string, string> = {};
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    found[entry.header.name] = Buffer.concat(chunks).toString();
  }
  return found;
}

test('a builder gets the Dockerfile from us, and files and secrets from the client', async () => {
  const long = Buffer.alloc(300_000, 'x');
  const solve = await builderOf(async (asked, calls, headers) => {
    const { GetSecret } = await loadMethods('secrets');
    const { data } = await calls.unary(GetSecret, { ID: 'token' });
    const files = await namesIn(calls, 'context');
    const secretOf = calls.unary(GetSecret, { ID: 'none' });
    await expect(secretOf).rejects.toMatchObject({ kind: 'NotFound' });
    return {
      ...(await namesIn(calls, 'dockerfile')),
      long: String(files['long']?.length),
      secret: Buffer.from(data).toString(),
      keyed: String(headers['x-docker-expose-session-sharedkey'] === asked.Session),
      frontend: `${asked.Frontend} ${asked.FrontendAttrs['target'] ?? ''} ${asked.Exporter}`,
      entitlements: asked.Entitlements.join(' '),
    };
  });
  let result: object = {};
  const files = [
    { path: 'Dockerfile', bytes: Buffer.from('FROM elsewhere\n') },
    { path: 'long', bytes: long },
  ];
  const asking = await front.connectWith(
    { files, secrets: { token: 'hush' }, takes: 'archive' },
    async (request) => {
      result = await solve(request, { exporter: 'tar', options: { target: 'two' } });
      return {};
    },
  );
  await build(asking, { Entitlements: ['security.insecure'] });
  expect(result).toMatchObject({
    answer: {
      Dockerfile: 'FROM looked-at\n',
      long: '300000',
      secret: 'hush',
      keyed: 'true',
      frontend: 'dockerfile.v0 two tar',
      entitlements: '',
    },
    told: [
      { kind: 'step', step: { digest: 'sha256:1', name: 'work', startedAt: 5000, completedAt: undefined } },
      { kind: 'log', digest: 'sha256:1', isError: false },
      { kind: 'log', digest: 'sha256:1', isError: true },
    ],
  });
});

async function sendResult(calls: SessionCalls, bytes: Buffer): Promise<void> {
  const call = calls.open((await loadMethods('filesend')).DiffCopy, {});
  for (let at = 0; at < bytes.length; at += 32_768)
    await call.sendPaced({ data: bytes.subarray(at, at + 32_768) });
  call.end();
  for await (const message of call.messages) expect(message.data.length).toBe(0);
}

const RESULT = Buffer.alloc(200_000, 'result ');

test('an archive for the client goes to the client', async () => {
  const solve = await builderOf(async (_, calls) => {
    await sendResult(calls, RESULT);
    return {};
  });
  const asking = await front.connectWith({ takes: 'archive' }, async (request) => {
    await solve(request, { exporter: 'tar' });
    return {};
  });
  await build(asking);
  expect(Buffer.concat([...asking.taken.archive]).equals(RESULT)).toBe(true);
});

test('an image comes to us, and the client sees nothing of it', async () => {
  const solve = await builderOf(async (_, calls) => {
    await sendResult(calls, RESULT);
    return {};
  });
  const taken: Buffer[] = [];
  const asking = await front.connectWith({ takes: 'archive' }, async (request) => {
    await solve(request, {
      exporter: 'docker',
      takeImage: async (archive) => {
        for await (const chunk of archive) taken.push(chunk as Buffer);
      },
    });
    return {};
  });
  await build(asking);
  expect(Buffer.concat(taken).equals(RESULT)).toBe(true);
  expect(asking.taken.archive).toEqual([]);
});

test('an image that is not kept fails the build, in our words', async () => {
  const solve = await builderOf(async (_, calls) => {
    await sendResult(calls, RESULT);
    return {};
  });
  const asking = await front.connectWith({}, async (request) => {
    await solve(request, { exporter: 'docker' });
    return {};
  });
  await expect(build(asking)).rejects.toThrow('internal error');
});

test('what fails there fails here, in its words', async () => {
  const solve = await builderOf(() =>
    Promise.reject(new Error('process "/bin/sh -c false" did not complete')),
  );
  const asking = await front.connectWith({}, async (request) => {
    await solve(request, { exporter: 'docker' });
    return {};
  });
  await expect(build(asking)).rejects.toThrow('buildkitd: process "/bin/sh -c false" did not complete');
});

test('a client that leaves takes the build with it', async () => {
  let isEnded = false;
  let leave = (): void => undefined;
  const solve = await builderOf(async (_, calls) => {
    leave();
    await calls.closed;
    isEnded = true;
    return {};
  });
  const asking = await front.connectWith({}, async (request) => {
    leave = () => {
      asking.leave();
    };
    await solve(request, { exporter: 'docker' });
    return {};
  });
  await expect(build(asking)).rejects.toThrow();
  await expect.poll(() => isEnded, { timeout: 10_000 }).toBe(true);
});

test('a builder that does not answer is told as such', async () => {
  const builder = createRemoteBuilder({ socketPath: '/nowhere/buildkitd.sock', directory: '/nowhere' });
  const asking = await front.connectWith({}, async ({ session, signal }) => {
    const nothing = { options: {}, exporterOptions: {}, definition: new Map<string, Uint8Array>() };
    const takeImage = (): Promise<void> => Promise.resolve();
    const asked: RemoteSolve = { ...nothing, exporter: 'docker', takeImage, session, signal };
    return builder.solve(asked, () => Promise.resolve());
  });
  await expect(build(asking)).rejects.toThrow('does not answer');
});
