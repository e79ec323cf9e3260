import { describe, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import type { Route } from '../../src/api/http/route.ts';
import { askBoth, digestOf, useTwoJobs, type Answer, type Kind } from '../support/two-jobs.ts';

// Two jobs on one containerd: what one has is to the other as if it did not exist, in every verb.

const jobs = useTwoJobs();
const { send } = jobs;

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

/** Names in a registry or a swarm, of plugins, and of nothing at all. */
const NOT_OWNED = /^\/(?:distribution|plugins|swarm|nodes|services|tasks|secrets|configs)\/|^\/:any\*$/;
/** Of these berth has nothing for anybody; a WebSocket is asked for below. */
const UNSERVED: readonly string[] = [
  'GET /containers/:id/attach/ws',
  'GET /containers/:id/checkpoints',
  'POST /containers/:id/checkpoints',
  'DELETE /containers/:id/checkpoints/:name',
];

const cases = routes.flatMap((route): readonly (readonly [string, Route, Kind])[] => {
  const kind = KIND_OF[route.path.split('/')[1] ?? ''];
  const isServed = !UNSERVED.includes(`${route.method} ${route.path}`);
  const isAbout = isServed && /\/:(id|name)\*?/.test(route.path);
  return kind !== undefined && isAbout ? [[`${route.method} ${route.path}`, route, kind]] : [];
});

describe('what another job has is answered like what nobody has', () => {
  test('every endpoint that names something of a job is looked at', () => {
    const seen = new Set(cases.map(([name]) => name));
    const named = routes.filter(({ path }) => /\/:\w+/.test(path) && !NOT_OWNED.test(path));
    expect(
      named
        .map(({ method, path }) => `${method} ${path}`)
        .filter((name) => !seen.has(name))
        .sort(),
    ).toEqual([...UNSERVED].sort());
  });

  test.each(cases)('%s', async (_name, { method, path }, kind) => {
    for (const reference of jobs.foreign()[kind]) {
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

  const host = (HostConfig: object): object => ({ HostConfig });
  const onNetwork = (name: string, settings: object): object => ({
    HostConfig: { NetworkMode: name },
    NetworkingConfig: { EndpointsConfig: { [name]: settings } },
  });
  const members: readonly (readonly [string, Kind, (ref: string) => object])[] = [
    ['the network of a container', 'container', (ref) => host({ NetworkMode: `container:${ref}` })],
    ['the processes of a container', 'container', (ref) => host({ PidMode: `container:${ref}` })],
    ['the memory of a container', 'container', (ref) => host({ IpcMode: `container:${ref}` })],
    ['the volumes of a container', 'container', (ref) => host({ VolumesFrom: [ref] })],
    ['a link', 'container', (ref) => host({ Links: [`${ref}:x`] })],
    ['a network', 'network', (ref) => host({ NetworkMode: ref })],
    ['settings on a network', 'network', (ref) => onNetwork(ref, { Aliases: ['x'] })],
    [
      'files of an image',
      'image',
      (ref) => host({ Mounts: [{ Type: 'image', Source: ref, Target: '/image' }] }),
    ],
  ];
  test.each(members)('create with %s', async (_name, kind, asked) => {
    for (const reference of jobs.foreign()[kind]) {
      const { theirs, nobodys } = await askBoth(reference, async (ref) => {
        const created = await send('POST', '/containers/create', {
          Image: 'busybox',
          ...asked(ref),
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

  // As dockerd, links of an endpoint are kept, and lead nowhere.
  test('create with a link on a network', async () => {
    for (const reference of jobs.foreign().container) {
      const { theirs, nobodys } = await askBoth(reference, async (ref) => {
        const asked = onNetwork('bridge', { Links: [`${ref}:x`] });
        const created = await send('POST', '/containers/create', { Image: 'busybox', ...asked });
        const { Id: id } = JSON.parse(created.body) as { readonly Id: string };
        const started = await send('POST', `/containers/${id}/start`);
        const shown = await send('GET', `/containers/${id}/json`);
        await send('DELETE', `/containers/${id}?force=1`);
        return {
          ...started,
          body: JSON.stringify((JSON.parse(shown.body) as { readonly HostConfig: object }).HostConfig),
        };
      });
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
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
    [
      'disconnect of a container',
      'container',
      (ref) => send('POST', '/networks/bridge/disconnect', { Container: ref }),
    ],
    ['removal of a link', 'container', (ref) => send('DELETE', `/containers/${ref}%2Fx?link=1`)],
    ['save of several images', 'image', (ref) => send('GET', `/images/get?names=busybox&names=${ref}`)],
    [
      'create from an image by digest',
      'image',
      (ref) => send('POST', '/containers/create', { Image: `busybox@${digestOf(ref)}` }),
    ],
    ['an image by digest', 'image', (ref) => send('GET', `/images/busybox@${digestOf(ref)}/json`)],
  ])('%s', async (_name, kind, request) => {
    for (const reference of jobs.foreign()[kind]) {
      const { theirs, nobodys } = await askBoth(reference, request);
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      expect(theirs.status).toBe(404);
    }
  });
});
