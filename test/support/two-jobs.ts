import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { createApiClient } from './api-client.ts';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
  type BerthDirectories,
} from './e2e-berth.ts';
import { ask, loadBusybox } from './e2e-job.ts';
import { packTar } from './image-builder.ts';
import { formatRequest, rawHttp } from './raw-http.ts';

/** What a job can have and another must not be told of. */
export type Kind = 'container' | 'exec' | 'network' | 'volume' | 'image';

/** What a request was answered. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A build of one Dockerfile. */
export interface AskedBuild {
  readonly query?: string;
  readonly text?: string;
}

/** Two jobs on one containerd, of which one has a container, a network, a volume, an image and an exec. */
export interface TwoJobs {
  readonly owner: () => Berth;
  readonly stranger: () => Berth;
  /** What the owner has: by id, by a part of it, by name. */
  readonly foreign: () => Readonly<Record<Kind, readonly string[]>>;
  /** Asks as the stranger. */
  readonly send: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /** What a build of the stranger's told, without what is different each time. */
  readonly build: (asked: AskedBuild) => Promise<Answer>;
}

/** Starts both before the tests of a file, and looks after them that nothing is left. */
export function useTwoJobs(): TwoJobs {
  let directories: BerthDirectories;
  let owner: Berth;
  let stranger: Berth;
  let foreign: Readonly<Record<Kind, readonly string[]>>;
  beforeAll(async () => {
    directories = await makeDirectories();
    owner = await startBerth({ job: 'owner', directories });
    stranger = await startBerth({ job: 'stranger', directories });
    await Promise.all([loadBusybox(owner), loadBusybox(stranger)]);
    foreign = await fill(owner);
  });
  afterAll(async () => {
    for (const berth of [stranger, owner])
      expect(await berth.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
    await removeDirectories(directories);
  });
  showLogsOnFailure(() => [owner, stranger]);
  const exchange = async (method: string, request: Buffer): Promise<Answer> => {
    const { status, body } = await rawHttp(stranger.ready.socket, request, { method, timeoutMs: 60_000 });
    return { status, body: body.toString('utf8') };
  };
  return {
    owner: () => owner,
    stranger: () => stranger,
    foreign: () => foreign,
    send(method, path, body) {
      const headers = { 'Content-Type': 'application/json' };
      const content = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      return exchange(method, formatRequest({ method, path, ...content }));
    },
    async build({ query = '', text = 'FROM busybox\nRUN true' }) {
      const body = await packTar([{ path: 'Dockerfile', type: 'file', content: text }]);
      const path = `/build?nocache=1&${query}`;
      const headers = { 'Content-Type': 'application/x-tar' };
      const told = await exchange('POST', formatRequest({ method: 'POST', path, headers, body }));
      const ids = /(Running in|container|--->|Successfully built|sha256:)(\s?)[0-9a-f]{12,64}/g;
      return { ...told, body: told.body.replaceAll(ids, '$1$2ID') };
    },
  };
}

async function fill(owner: Berth): Promise<Readonly<Record<Kind, readonly string[]>>> {
  const network = await ask(owner, 'network', 'create', 'theirs-net');
  await ask(owner, 'volume', 'create', 'theirs-vol');
  const container = await ask(
    owner,
    ...['run', '-d', '--name', 'theirs', '--network', 'theirs-net', '-v', 'theirs-vol:/v', 'busybox'],
    ...['sh', '-c', 'echo secret >/secret; sleep 1000'],
  );
  const exec = await createApiClient(owner.ready.socket).post(`/containers/${container}/exec`, {
    Cmd: ['true'],
  });
  const image = await ask(owner, 'commit', 'theirs', 'theirs-image:1');
  return {
    container: [container, container.slice(0, 12), 'theirs'],
    exec: [(exec.body as { readonly Id: string }).Id],
    network: [network, network.slice(0, 12), 'theirs-net'],
    volume: ['theirs-vol'],
    image: [image, image.slice(7, 19), 'theirs-image:1', 'theirs-image'],
  };
}

/** A reference of the same form that nobody has: an id keeps its letters and zeros, so that what reads as a number still does. */
function unknownLike(reference: string): string {
  const [, prefix = '', hex = ''] = /^(sha256:)?([0-9a-f]{12,})$/.exec(reference) ?? [];
  if (hex !== '') return prefix + hex.replaceAll(/[1-9]/g, (digit) => String(1 + (Number(digit) % 9)));
  return reference.replace('theirs', `absent${randomBytes(3).toString('hex')}`);
}

/** Asks the same of what the owner has and of what nobody has: both answers, with the reference cut out. */
export async function askBoth(
  reference: string,
  request: (reference: string) => Promise<Answer>,
): Promise<{ readonly theirs: Answer; readonly nobodys: Answer }> {
  const absent = unknownLike(reference);
  const without = (answer: Answer, used: string): Answer => {
    // Names are repeated with their defaults: a tag, a registry.
    const word = used.replace(/^sha256:/, '').replace(/:1$/, '');
    // What reads a range or a tag shows a part.
    const [part = word] = word.split('-');
    const body = answer.body.replaceAll(word, 'REF').replaceAll(part, 'PART');
    return { ...answer, body: body.replaceAll(digestOf(used), 'DIGEST') };
  };
  return {
    theirs: without(await request(reference), reference),
    nobodys: without(await request(absent), absent),
  };
}

/** The digest that an image's id is; of a name one that a manifest could have. */
export function digestOf(reference: string): string {
  return reference.startsWith('sha256:')
    ? reference
    : `sha256:${createHash('sha256').update(reference).digest('hex')}`;
}
