import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import type { Route } from '../../src/api/http/route.ts';
import { createApiClient, type ApiClient } from '../support/api-client.ts';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { formatRequest, rawHttp } from '../support/raw-http.ts';

// Two jobs on one containerd: what one has is to the other as if it did not exist, in every verb and filter.

let directories: BerthDirectories;
let owner: Berth;
let stranger: Berth;
let api: ApiClient;

type Kind = 'container' | 'exec' | 'network' | 'volume' | 'image';
/** What the owner has: by id, by a part of it, by name. */
let foreign: Readonly<Record<Kind, readonly string[]>>;

beforeAll(async () => {
  directories = await makeDirectories();
  owner = await startBerth({ job: 'owner', directories });
  stranger = await startBerth({ job: 'stranger', directories });
  await Promise.all([loadBusybox(owner), loadBusybox(stranger)]);
  api = createApiClient(stranger.ready.socket);
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
  foreign = {
    container: [container, container.slice(0, 12), 'theirs'],
    exec: [(exec.body as { readonly Id: string }).Id],
    network: [network, network.slice(0, 12), 'theirs-net'],
    volume: ['theirs-vol'],
    image: [image, image.slice(7, 19), 'theirs-image:1', 'theirs-image'],
  };
});

afterAll(async () => {
  for (const berth of [stranger, owner])
    expect(await berth.stop()).toMatchObject({ code: 0, report: { leaks: [] } });
  await removeDirectories(directories);
});

showLogsOnFailure(() => [owner, stranger]);

/** A reference of the same form that nobody has. */
function unknownLike(reference: string): string {
  const [, prefix = '', hex = ''] = /^(sha256:)?([0-9a-f]{12,})$/.exec(reference) ?? [];
  if (hex !== '') return prefix + randomBytes(32).toString('hex').slice(0, hex.length);
  return reference.replace('theirs', `absent${randomBytes(3).toString('hex')}`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function send(method: string, path: string, body?: unknown): Promise<Answer> {
  const content =
    body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const request = formatRequest({ method, path, ...content });
  const answer = await rawHttp(api.socketPath, request, { method, timeoutMs: 20_000 });
  return { status: answer.status, body: answer.body.toString('utf8') };
}

/** Asks the same of what the owner has and of what nobody has: both answers, with the reference cut out. */
async function askBoth(
  reference: string,
  request: (reference: string) => Promise<Answer>,
): Promise<{ readonly theirs: Answer; readonly nobodys: Answer }> {
  const absent = unknownLike(reference);
  const without = (answer: Answer, used: string): Answer => {
    // Names are repeated with their defaults: a tag, a registry.
    const word = used.replace(/^sha256:/, '').replace(/:1$/, '');
    return { ...answer, body: answer.body.replaceAll(word, 'REF') };
  };
  return {
    theirs: without(await request(reference), reference),
    nobodys: without(await request(absent), absent),
  };
}

const KIND_OF: Readonly<Record<string, Kind>> = {
  containers: 'container',
  exec: 'exec',
  networks: 'network',
  volumes: 'volume',
  images: 'image',
};
/** What a request needs to get as far as the look-up. */
const QUERIES: Readonly<Record<string, string>> = {
  '/containers/:id/logs': '?stdout=1',
  '/containers/:id/attach': '?stdout=1&stream=1',
  '/containers/:id/archive': '?path=/secret',
  '/containers/:id/rename': '?name=mine',
  '/containers/:id/resize': '?h=1&w=1',
  '/exec/:id/resize': '?h=1&w=1',
  '/images/:name*/tag': '?repo=mine&tag=1',
};
const BODIES: Readonly<Record<string, object>> = {
  '/containers/:id/update': { CpuShares: 2 },
  '/containers/:id/exec': { Cmd: ['cat', '/secret'] },
  '/exec/:id/start': {},
  '/networks/:id/connect': { Container: 'mine' },
  '/networks/:id/disconnect': { Container: 'mine' },
};

const cases = routes.flatMap((route): readonly (readonly [string, Route, Kind])[] => {
  const kind = KIND_OF[route.path.split('/')[1] ?? ''];
  // Of these berth has nothing for anybody.
  const isServed = !/\/(?:attach\/ws|checkpoints(?:\/:name)?)$/.test(route.path);
  const isAbout = isServed && /\/:(id|name)\*?/.test(route.path);
  return kind !== undefined && isAbout ? [[`${route.method} ${route.path}`, route, kind]] : [];
});

describe('what another job has is answered like what nobody has', () => {
  test('the table has every verb', () => {
    expect(cases.length).toBeGreaterThan(35);
  });

  test.each(cases)('%s', async (_name, { method, path }, kind) => {
    for (const reference of foreign[kind]) {
      const { theirs, nobodys } = await askBoth(reference, (ref) =>
        send(
          method,
          path.replace(/:(id|name)\*?/, encodeURIComponent(ref)) + (QUERIES[path] ?? ''),
          BODIES[path],
        ),
      );
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      // A push tells it in its stream, as dockerd's.
      const found = theirs.body.includes('"errorDetail"') ? 404 : theirs.status;
      expect([found, reference]).toEqual([404, reference]);
    }
  });

  const members: readonly (readonly [string, Kind, (ref: string) => object])[] = [
    ['the network of a container', 'container', (ref) => ({ NetworkMode: `container:${ref}` })],
    ['the processes of a container', 'container', (ref) => ({ PidMode: `container:${ref}` })],
    ['the memory of a container', 'container', (ref) => ({ IpcMode: `container:${ref}` })],
    ['the volumes of a container', 'container', (ref) => ({ VolumesFrom: [ref] })],
    ['a link', 'container', (ref) => ({ Links: [`${ref}:x`] })],
    ['a network', 'network', (ref) => ({ NetworkMode: ref })],
    ['files of an image', 'image', (ref) => ({ Mounts: [{ Type: 'image', Source: ref, Target: '/image' }] })],
  ];
  test.each(members)('create with %s', async (_name, kind, hostConfig) => {
    for (const reference of foreign[kind]) {
      const { theirs, nobodys } = await askBoth(reference, async (ref) => {
        const created = await send('POST', '/containers/create', {
          Image: 'busybox',
          HostConfig: hostConfig(ref),
        });
        if (created.status !== 201) return created;
        // Networks are looked up by the start.
        const { Id: id } = JSON.parse(created.body) as { readonly Id: string };
        const started = await send('POST', `/containers/${id}/start`);
        await send('DELETE', `/containers/${id}?force=1`);
        return { ...started, body: started.body.replaceAll(id, 'ID') };
      });
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      // dockerd answers a link with 400, in the same words.
      expect([400, 404, 409], theirs.body).toContain(theirs.status);
      expect(theirs.body).toMatch(/No such |not found/i);
    }
  });

  test.each<[string, Kind, (ref: string) => Promise<Answer>]>([
    ['create from an image', 'image', (ref) => send('POST', '/containers/create', { Image: ref })],
    ['commit of a container', 'container', (ref) => send('POST', `/commit?container=${ref}&repo=mine`)],
    [
      'connect of a container',
      'container',
      (ref) => send('POST', '/networks/bridge/connect', { Container: ref }),
    ],
  ])('%s', async (_name, kind, request) => {
    for (const reference of foreign[kind]) {
      const { theirs, nobodys } = await askBoth(reference, request);
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      expect(theirs.status).toBe(404);
    }
  });
});

describe('no filter finds what another job has', () => {
  const lists: readonly (readonly [string, string, Kind])[] = [
    ['/containers/json?all=1', 'id', 'container'],
    ['/containers/json?all=1', 'name', 'container'],
    ['/containers/json?all=1', 'network', 'network'],
    ['/containers/json?all=1', 'volume', 'volume'],
    ['/containers/json?all=1', 'ancestor', 'image'],
    ['/containers/json?all=1', 'before', 'container'],
    ['/containers/json?all=1', 'since', 'container'],
    ['/networks?', 'id', 'network'],
    ['/networks?', 'name', 'network'],
    ['/volumes?', 'name', 'volume'],
    ['/images/json?all=1', 'reference', 'image'],
    ['/images/json?all=1', 'before', 'image'],
    ['/images/json?all=1', 'since', 'image'],
    ['/events?since=0&until=1', 'container', 'container'],
    ['/events?since=0&until=1', 'image', 'image'],
    ['/events?since=0&until=1', 'network', 'network'],
    ['/events?since=0&until=1', 'volume', 'volume'],
  ];
  test.each(lists)('%s by %s', async (path, filter, kind) => {
    for (const reference of foreign[kind]) {
      const { theirs, nobodys } = await askBoth(reference, (ref) => {
        const filters = encodeURIComponent(JSON.stringify({ [filter]: [ref] }));
        const until = `until=${Math.floor(Date.now() / 1000)}`;
        return send('GET', `${path.replace('until=1', until)}&filters=${filters}`);
      });
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
    }
  });

  test('lists, counts and events are of the own job alone', async () => {
    const until = Math.floor(Date.now() / 1000);
    const paths = ['/containers/json?all=1', '/networks', '/volumes', '/images/json?all=1', '/system/df'];
    const texts = await Promise.all(
      [...paths, '/info', `/events?since=0&until=${until}`].map((path) => send('GET', path)),
    );
    for (const reference of Object.values(foreign).flat())
      expect(texts.filter(({ body }) => body.includes(reference))).toEqual([]);
    expect(texts[0]?.body.trim()).toBe('[]');
  });

  test('no prune takes it', async () => {
    for (const path of ['containers', 'networks', 'volumes', 'images'])
      expect((await send('POST', `/${path}/prune`)).status).toBe(200);
    expect(await ask(owner, 'exec', 'theirs', 'cat', '/secret')).toBe('secret');
    expect(await ask(owner, 'images', '-q', 'theirs-image:1')).not.toBe('');
  });

  test('a volume of the same name is another, empty one', async () => {
    const listed = await ask(stranger, 'run', '--rm', '-v', 'theirs-vol:/v', 'busybox', 'ls', '/v');
    expect(listed).toBe('');
    await ask(stranger, 'volume', 'rm', 'theirs-vol');
    expect(await ask(owner, 'volume', 'ls', '-q')).toBe('theirs-vol');
  });
});
