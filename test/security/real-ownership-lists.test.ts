import { describe, expect, test } from 'vitest';
import { routes } from '../../src/api/routes.ts';
import { CONTAINER_FILTERS } from '../../src/engine/containers/list-filters.ts';
import { IMAGE_FILTERS } from '../../src/engine/images/list-images.ts';
import { NETWORK_FILTERS } from '../../src/engine/networks/list-networks.ts';
import { EVENT_FILTERS } from '../../src/engine/system/watch-events.ts';
import { VOLUME_FILTERS } from '../../src/engine/volumes/list-volumes.ts';
import { PARAMETER_RULES } from '../../src/policy/parameter-rules.ts';
import { ask } from '../support/e2e-job.ts';
import { askBoth, useTwoJobs, type AskedBuild, type Kind } from '../support/two-jobs.ts';

// Two jobs on one containerd: no build, filter, list, count, event or prune of one tells of what the other has.

const jobs = useTwoJobs();
const { send, build } = jobs;

describe('a build is told the same of it', () => {
  const builds: readonly (readonly [string, Kind, (ref: string) => AskedBuild])[] = [
    ['the network of a container', 'container', (ref) => ({ query: `networkmode=container:${ref}` })],
    ['a network', 'network', (ref) => ({ query: `networkmode=${ref}` })],
    ['an image to begin with', 'image', (ref) => ({ text: `FROM ${ref}\nRUN cat /secret` })],
    ['files of an image', 'image', (ref) => ({ text: `FROM busybox\nCOPY --from=${ref} /secret /` })],
    [
      'a mount of an image',
      'image',
      (ref) => ({ text: `FROM busybox\nRUN --mount=type=bind,from=${ref},target=/x cat /x/secret` }),
    ],
    [
      'an image as cache',
      'image',
      (ref) => ({ query: `nocache=0&cachefrom=${encodeURIComponent(`["${ref}"]`)}` }),
    ],
  ];
  test.each(builds)('%s', async (_name, kind, asked) => {
    for (const reference of jobs.foreign()[kind]) {
      const { theirs, nobodys } = await askBoth(reference, (ref) => build(asked(ref)));
      expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      expect(theirs.body).not.toContain('secret\\n');
    }
  });
});

describe('no filter finds what another job has', () => {
  const lists: readonly (readonly [string, Iterable<string>])[] = [
    ['/containers/json?all=1', CONTAINER_FILTERS],
    ['/networks?', NETWORK_FILTERS],
    ['/networks/?', NETWORK_FILTERS],
    ['/volumes?', VOLUME_FILTERS],
    ['/images/json?all=1', IMAGE_FILTERS],
    ['/events?since=0&until=1', EVENT_FILTERS],
  ];
  test('every list that has filters is looked at', () => {
    const filtered = routes.filter(({ method, parameters }) => {
      const rows = parameters === undefined ? {} : PARAMETER_RULES[parameters];
      return method === 'GET' && Object.hasOwn(rows, 'filters');
    });
    const seen = lists.map(([path]) => path.split('?')[0]);
    expect(filtered.map(({ path }) => path).sort()).toEqual([...seen, '/plugins'].sort());
  });

  test.each(lists.flatMap(([path, names]) => [...names].map((name) => [path, name] as const)))(
    '%s by %s',
    async (path, filter) => {
      for (const reference of Object.values(jobs.foreign()).flat()) {
        const { theirs, nobodys } = await askBoth(reference, (ref) => {
          const filters = encodeURIComponent(JSON.stringify({ [filter]: [ref] }));
          const until = `until=${Math.floor(Date.now() / 1000)}`;
          return send('GET', `${path.replace('until=1', until)}&filters=${filters}`);
        });
        expect({ reference, ...theirs }).toEqual({ reference, ...nobodys });
      }
    },
  );

  test('lists, counts and events are of the own job alone', async () => {
    const until = Math.floor(Date.now() / 1000);
    const paths = ['/containers/json?all=1', '/networks', '/volumes', '/images/json?all=1', '/system/df'];
    const texts = await Promise.all(
      [...paths, '/info', `/events?since=0&until=${until}`].map((path) => send('GET', path)),
    );
    for (const reference of Object.values(jobs.foreign()).flat())
      expect(texts.filter(({ body }) => body.includes(reference))).toEqual([]);
    expect(texts[0]?.body.trim()).toBe('[]');
  });

  test('no prune takes it', async () => {
    for (const path of ['containers', 'networks', 'volumes', 'images'])
      expect((await send('POST', `/${path}/prune`)).status).toBe(200);
    expect(await ask(jobs.owner(), 'exec', 'theirs', 'cat', '/secret')).toBe('secret');
    expect(await ask(jobs.owner(), 'images', '-q', 'theirs-image:1')).not.toBe('');
  });

  test('a volume of the same name is another, empty one', async () => {
    const listed = await ask(jobs.stranger(), 'run', '--rm', '-v', 'theirs-vol:/v', 'busybox', 'ls', '/v');
    expect(listed).toBe('');
    await ask(jobs.stranger(), 'volume', 'rm', 'theirs-vol');
    expect(await ask(jobs.owner(), 'volume', 'ls', '-q')).toBe('theirs-vol');
  });
});
