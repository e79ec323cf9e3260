import { describe, expect, it } from 'vitest';

import {
  exitedAt,
  makeConfig,
  makeContainer,
  makeContainerStore,
  makeEndpoint,
  makeHostConfig,
  makeId,
  makeJob,
  partOf,
  runningSince,
} from '../../../test/support/records.ts';
import type { Containerd, Containers } from '../../containerd/types.ts';
import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';
import {
  describeLinks,
  linkHosts,
  allLinkNames,
  liveLinks,
  reachableLinks,
  resolveLinks,
} from './container-links.ts';
import { linkEnv } from './link-env.ts';
import { removeLink } from './remove-link.ts';

const links = [
  { containerId: makeId('d1'), containerName: 'db', alias: 'the-db' },
  { containerId: makeId('d2'), containerName: 'old', alias: 'old' },
];
const database: Partial<ContainerRecord> = {
  id: makeId('d1'),
  name: 'db',
  state: runningSince('2024-05-06T07:00:00Z'),
  endpoints: { bridge: makeEndpoint({ ipAddress: '172.17.0.9' }) },
};

function jobWith(web: Partial<ContainerRecord>, db: Partial<ContainerRecord> = {}): Job {
  return makeJob({
    containers: makeContainerStore([makeContainer(web), makeContainer({ ...database, ...db })]),
    containerd: partOf<Containerd>({ containers: partOf<Containers>({ update: async () => partOf({}) }) }),
  });
}

describe('links', () => {
  it.each([
    [['db'], [['db', 'db']]],
    [
      ['/db:/x', 'db:y', `${makeId('d1')}:z`],
      [
        ['db', 'x'],
        ['db', 'y'],
        ['db', 'z'],
      ],
    ],
    [['db:x', 'web:x'], [['db', 'x']]],
    [null, []],
  ])('%j are resolved once, the first of an alias', (asked, expected) => {
    const resolved = resolveLinks(jobWith({}), makeHostConfig({ Links: asked }));
    expect(resolved.map(({ containerName, alias }) => [containerName, alias])).toEqual(expected);
  });

  it('refuse a container that is not there, and one on the host', () => {
    expect(() => resolveLinks(jobWith({}), makeHostConfig({ Links: ['nope:x'] }))).toThrow(
      'could not get container for nope: No such container: nope',
    );
    const onHost = jobWith({}, { hostConfig: makeHostConfig({ NetworkMode: 'host' }) });
    expect(() => resolveLinks(onHost, makeHostConfig({ Links: ['db:x'] }))).toThrow(
      "conflicting options: host type networking can't be used with links",
    );
  });

  it('to the namespace of another container lead to that one', () => {
    const sharing = {
      name: 'side',
      hostConfig: makeHostConfig({ NetworkMode: `container:${makeId('d1')}` }),
    };
    expect(resolveLinks(jobWith(sharing), makeHostConfig({ Links: ['side:x'] }))).toEqual([
      { containerId: makeId('d1'), containerName: 'db', alias: 'x' },
    ]);
  });

  it('are shown by the names of now, and of then for what is gone', () => {
    const job = jobWith({ links }, { name: 'db2' });
    const web = job.containers.resolve('web');
    expect(describeLinks(job, web.record)).toEqual(['/db2:/web/the-db', '/old:/web/old']);
    expect(allLinkNames(job).get(job.containers.resolve('db2').id)).toEqual(['/web/the-db']);
    expect(allLinkNames(job).get(web.id)).toBeUndefined();
    expect(describeLinks(job, job.containers.resolve('db2').record)).toBeNull();
  });

  it('need their containers to run on the default bridge', () => {
    const started = (db: Partial<ContainerRecord>): (() => unknown) => {
      const job = jobWith({ links: links.slice(0, 1) }, db);
      return () => liveLinks(job, job.containers.resolve('web'));
    };
    expect(started({ state: exitedAt('2024-05-06T07:00:02Z') })).toThrow(
      'Cannot link to a non running container: /db AS /web/the-db',
    );
    expect(started({ endpoints: {} })).toThrow(
      'Cannot link to /db, as it does not belong to the default network',
    );
    const job = jobWith({ links });
    const reachable = reachableLinks(job, job.containers.resolve('web'));
    expect(linkHosts(reachable)).toEqual([{ address: '172.17.0.9', names: ['the-db', 'host', 'db'] }]);
  });

  it('tell of ports, of runs of ports, and of the environment', () => {
    const config = makeConfig({
      Hostname: 'c0ffee',
      ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '82': {}, '53/udp': {}, '90/udp': {}, '91/udp': {} },
      Env: ['HOME=/x', 'PATH=/bin', 'A=b=c', 'EMPTY', 'NONE='],
    });
    const job = jobWith({ links: links.slice(0, 1) }, { config });
    const [link] = liveLinks(job, job.containers.resolve('web'));
    const env = link ? linkEnv('web', link) : [];
    expect(env.slice(0, 7)).toEqual([
      'THE_DB_PORT=udp://172.17.0.9:53',
      'THE_DB_PORT_80_TCP_START=tcp://172.17.0.9:80',
      'THE_DB_PORT_80_TCP_ADDR=172.17.0.9',
      'THE_DB_PORT_80_TCP_PROTO=tcp',
      'THE_DB_PORT_80_TCP_PORT_START=80',
      'THE_DB_PORT_80_TCP_END=tcp://172.17.0.9:82',
      'THE_DB_PORT_80_TCP_PORT_END=82',
    ]);
    expect(env).toContain('THE_DB_PORT_91_UDP_PORT=91');
    expect(env.slice(-3)).toEqual(['THE_DB_NAME=/web/the-db', 'THE_DB_ENV_A=b=c', 'THE_DB_ENV_NONE=']);
    expect(env.join()).not.toMatch(/90_UDP_START|HOME|EMPTY/);
  });

  it('are removed by their names', async () => {
    const job = jobWith({ links });
    for (const ref of ['web/nope', 'nope/the-db', 'web/the-db/x', 'web/'])
      await expect(removeLink(job, ref)).rejects.toMatchObject({
        kind: 'NotFound',
        message: `No such container: ${ref}`,
      });
    await expect(removeLink(job, 'web')).rejects.toMatchObject({ kind: 'Conflict' });
    await removeLink(job, 'web/the-db');
    expect(job.containers.resolve('web').record.links.map(({ alias }) => alias)).toEqual(['old']);
  });
});
