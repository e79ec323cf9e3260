import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';

import { EngineError, messageOf } from '../errors.ts';
import { createHostMounts } from '../host/mounts.ts';
import type { Libc } from '../host/types.ts';
import { createLocalFiles, type LocalFiles } from './local-files.ts';
import { createFrameReader, encodeDocument, encodeHead, type FrameReader } from './look-up-frames.ts';
import type { HeldRoot, HeldSource, HeldWorld, LookUpAnswers, LookUpRequest } from './look-up-request.ts';
import { openView } from './open-view.ts';
import { pinSource } from './pin-source.ts';
import { pinWithin } from './stage-own.ts';
import type { PinnedSource } from './types-binds.ts';
import type { RootHandle } from './types.ts';

const pathOnly = 0o10000000;

/** The streams of a look-up process, and who asks. */
export interface LookUpService {
  readonly libc: Libc;
  readonly input: Readable;
  readonly output: Writable;
  /** The process whose descriptors requests name. */
  readonly askerPid: number;
}

/** Serves one request after the other until the input ends: what can hang here hangs nobody else. */
export async function serveLookUps(service: LookUpService): Promise<void> {
  const read = createFrameReader(service.input as AsyncIterable<Buffer>);
  const files = createLocalFiles(service.libc);
  for (;;) {
    const frame = await read();
    if (!frame) return;
    if (frame.kind !== 'request') continue;
    const request = JSON.parse(frame.bytes.toString('utf8')) as LookUpRequest;
    const work: Work = { ...service, files, body: bodyOf(read) };
    try {
      await VERBS[request.verb](work, request as never);
      await drain(work.body);
      await send(work, encodeHead('end', 0));
    } catch (error) {
      const kind = error instanceof EngineError ? error.kind : 'Internal';
      await send(work, encodeDocument('failure', { kind, message: messageOf(error) }));
      await drain(work.body);
    }
  }
}

interface Work extends LookUpService {
  readonly files: LocalFiles;
  /** The data of the request, up to its end. */
  readonly body: AsyncGenerator<Buffer, void, undefined>;
}

type RequestOf<V extends LookUpRequest['verb']> = Extract<LookUpRequest, { readonly verb: V }>;
type Verbs = { readonly [V in LookUpRequest['verb']]: (work: Work, request: RequestOf<V>) => Promise<void> };

const never = new AbortController().signal;

const VERBS: Verbs = {
  stat: (work, { root, path }) =>
    within(work, root, async (held) => answer(work, 'stat', await work.files.stat(held, path))),
  readFile: (work, { root, path, maxBytes }) =>
    within(work, root, async (held) => {
      const bytes = await work.files.readFile(held, path, maxBytes);
      await answer(work, 'readFile', { exists: bytes !== undefined });
      if (bytes && bytes.length > 0) await sendData(work, bytes);
    }),
  readArchive: (work, { root, path }) =>
    within(work, root, async (held) => {
      const { stat: facts, tar } = await work.files.readArchive(held, path, never);
      await answer(work, 'readArchive', facts);
      for await (const chunk of tar as AsyncIterable<Buffer>) await sendData(work, chunk);
    }),
  writeArchive: (work, { root, path, options }) =>
    within(work, root, async (held) => {
      const tar = Readable.from(work.body, { objectMode: false });
      await work.files.writeArchive({ root: held, path }, tar, { ...options, signal: never });
      await answer(work, 'writeArchive', null);
    }),
  view: async (work, { view, directory }) => {
    const mounts = createHostMounts({ libc: work.libc, directory });
    const root = await openView({ libc: work.libc, mounts }, view);
    await hold(work, 'view', { ...root, namespaceFd: undefined, kind: 'directory' });
  },
  pin: async (work, { world, lookup }) => {
    const { opened, close } = await openWorld(work, world);
    try {
      await hold(work, 'pin', await pinSource(opened, lookup));
    } finally {
      await close();
    }
  },
  pinWithin: async (work, { directory, subpath }) =>
    hold(work, 'pinWithin', await pinWithin(work.libc, directory, subpath)),
};

async function within(work: Work, root: HeldRoot, use: (root: RootHandle) => Promise<void>): Promise<void> {
  const handle = await open(pathOfHeld(work, root.fd), pathOnly | constants.O_DIRECTORY);
  try {
    await use({ ...root, fd: handle.fd, isOwn: true, mayHang: false, close: () => Promise.resolve() });
  } finally {
    await handle.close();
  }
}

async function openWorld(
  work: Work,
  { workspaces, ...world }: HeldWorld,
): Promise<{ readonly opened: Parameters<typeof pinSource>[0]; readonly close: () => Promise<void> }> {
  const handles = await Promise.all(
    workspaces.map(({ fd }) => open(pathOfHeld(work, fd), pathOnly | constants.O_DIRECTORY)),
  );
  return {
    opened: {
      ...world,
      libc: work.libc,
      workspaces: workspaces.map(({ paths }, index) => ({ paths, fd: handles[index]?.fd ?? -1 })),
    },
    close: async () => {
      await Promise.all(handles.map((handle) => handle.close()));
    },
  };
}

function pathOfHeld({ askerPid }: Work, fd: number): string {
  return `/proc/${askerPid}/fd/${fd}`;
}

/** Keeps what was found until whoever asked has copied the descriptors, and so ends the request. */
async function hold(work: Work, verb: 'pin' | 'pinWithin' | 'view', source: PinnedSource): Promise<void> {
  try {
    const { fd, namespaceFd, kind } = source;
    const held: HeldSource = { fd, kind, ...(namespaceFd === undefined ? {} : { namespaceFd }) };
    await answer(work, verb, held);
    await drain(work.body);
  } finally {
    source.close();
  }
}

async function* bodyOf(read: FrameReader): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const frame = await read();
    if (frame?.kind !== 'data') return;
    yield frame.bytes;
  }
}

async function drain(body: AsyncGenerator<Buffer, void, undefined>): Promise<void> {
  while ((await body.next()).done !== true);
}

function answer<V extends keyof LookUpAnswers>(
  work: Work,
  _verb: V,
  document: LookUpAnswers[V],
): Promise<void> {
  return send(work, encodeDocument('answer', document));
}

async function sendData(work: Work, bytes: Buffer): Promise<void> {
  work.output.write(encodeHead('data', bytes.length));
  await send(work, bytes);
}

async function send({ output }: Work, bytes: Buffer): Promise<void> {
  if (!output.write(bytes)) await once(output, 'drain');
}
