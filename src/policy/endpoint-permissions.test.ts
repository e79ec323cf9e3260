import { describe, expect, it } from 'vitest';
import {
  closedBy,
  JOB_PERMISSIONS,
  type Endpoint,
  type EndpointPermissions,
} from './endpoint-permissions.ts';

const ON_CONTAINER = { path: '/containers/:id', group: 'containers' } as const;
const ENDPOINTS = {
  ping: { method: 'GET', path: '/_ping', group: 'ping' },
  events: { method: 'GET', path: '/events', group: 'events' },
  version: { method: 'GET', path: '/version', group: 'version' },
  info: { method: 'GET', path: '/info', group: 'info' },
  list: { method: 'GET', path: '/containers/json', group: 'containers' },
  stat: { ...ON_CONTAINER, method: 'HEAD' },
  create: { method: 'POST', path: '/containers/create', group: 'containers' },
  upload: { ...ON_CONTAINER, method: 'PUT' },
  wait: { ...ON_CONTAINER, method: 'POST' },
  start: { ...ON_CONTAINER, method: 'POST', verb: 'start' },
  stop: { ...ON_CONTAINER, method: 'POST', verb: 'stop' },
  restart: { ...ON_CONTAINER, method: 'POST', verb: 'restart' },
  kill: { ...ON_CONTAINER, method: 'POST', verb: 'kill' },
  delete: { ...ON_CONTAINER, method: 'DELETE', verb: 'delete' },
  execCreate: { ...ON_CONTAINER, method: 'POST', verb: 'exec' },
  execStart: { method: 'POST', path: '/exec/:id/start', group: 'exec' },
  execInspect: { method: 'GET', path: '/exec/:id/json', group: 'exec' },
  networkList: { method: 'GET', path: '/networks', group: 'networks' },
  networkCreate: { method: 'POST', path: '/networks/create', group: 'networks' },
  networkRemove: { method: 'DELETE', path: '/networks/:id', group: 'networks' },
  pull: { method: 'POST', path: '/images/create', group: 'images' },
} as const satisfies Readonly<Record<string, Endpoint>>;

type Name = keyof typeof ENDPOINTS;
type Given = EndpointPermissions['given'];

function open(permissions: EndpointPermissions): readonly string[] {
  return (Object.keys(ENDPOINTS) as Name[]).filter(
    (name) => closedBy(ENDPOINTS[name], permissions) === undefined,
  );
}

const ALWAYS = ['ping', 'events', 'version'];
const READS = ['list', 'stat'];
const WRITES = ['create', 'upload', 'wait', 'start', 'stop', 'restart'];

describe('the profile socket-proxy', () => {
  it.each<[Given, readonly string[]]>([
    [{}, ALWAYS],
    [{ post: true }, ALWAYS],
    [{ containers: true }, [...ALWAYS, ...READS]],
    [{ containers: true, post: true }, [...ALWAYS, ...READS, ...WRITES]],
    [{ containers: true, post: true, kill: true }, [...ALWAYS, ...READS, ...WRITES, 'kill']],
    [{ containers: true, post: true, delete: true }, [...ALWAYS, ...READS, ...WRITES, 'delete']],
    [
      { containers: true, post: true, exec: true },
      [...ALWAYS, ...READS, ...WRITES, 'execCreate', 'execStart', 'execInspect'],
    ],
    [
      { containers: true, post: true, exec: true, allow_exec: false },
      [...ALWAYS, ...READS, ...WRITES, 'execStart', 'execInspect'],
    ],
    [{ post: true, exec: true }, [...ALWAYS, 'execStart', 'execInspect']],
    [{ post: true, allow_exec: true }, [...ALWAYS, 'execCreate']],
    [{ allow_start: true, kill: true, delete: true, allow_exec: true }, ALWAYS],
    [{ post: true, allow_start: true }, [...ALWAYS, 'start']],
    [{ post: true, allow_stop: true }, [...ALWAYS, 'stop']],
    [{ post: true, allow_restarts: true }, [...ALWAYS, 'stop', 'restart', 'kill']],
    [{ containers: true, post: true, allow_start: false }, [...ALWAYS, ...READS, ...WRITES]],
    [{ networks: true }, [...ALWAYS, 'networkList']],
    [{ networks: true, post: true }, [...ALWAYS, 'networkList', 'networkCreate', 'networkRemove']],
    [{ events: false, ping: false, version: false }, []],
  ])('%j', (given, expected) => {
    expect([...open({ profile: 'socket-proxy', given })].sort()).toEqual([...expected].sort());
  });
});

describe('the profile job', () => {
  it('closes nothing by itself', () => {
    expect(open(JOB_PERMISSIONS)).toEqual(Object.keys(ENDPOINTS));
  });

  it.each<[Given, readonly Name[]]>([
    [{ kill: false }, ['kill']],
    [{ delete: false }, ['delete']],
    [{ exec: false }, ['execCreate', 'execStart', 'execInspect']],
    [{ allow_exec: false }, ['execCreate']],
    [{ allow_restarts: false }, ['stop', 'restart', 'kill']],
    [{ allow_restarts: false, allow_stop: true }, ['restart', 'kill']],
    [
      { containers: false, allow_start: true },
      ['list', 'stat', 'create', 'upload', 'wait', 'stop', 'restart', 'kill', 'delete', 'execCreate'],
    ],
    [{ images: false }, ['pull']],
    [
      { post: false },
      (Object.keys(ENDPOINTS) as Name[]).filter((name) => !['GET', 'HEAD'].includes(ENDPOINTS[name].method)),
    ],
  ])('%j', (given, closed) => {
    const left = open({ profile: 'job', given });
    expect(Object.keys(ENDPOINTS).filter((name) => !left.includes(name))).toEqual(closed);
  });
});

describe('the switches that a refusal names', () => {
  it.each<[Name, EndpointPermissions, readonly string[]]>([
    ['create', { profile: 'socket-proxy', given: {} }, ['post']],
    ['list', { profile: 'socket-proxy', given: {} }, ['containers']],
    [
      'kill',
      { profile: 'socket-proxy', given: { post: true, containers: true } },
      ['kill', 'allow_restarts'],
    ],
    ['delete', { profile: 'socket-proxy', given: { post: true, containers: true } }, ['delete']],
    [
      'execCreate',
      { profile: 'socket-proxy', given: { post: true, containers: true } },
      ['exec', 'containers'],
    ],
    ['start', { profile: 'socket-proxy', given: { post: true } }, ['allow_start', 'containers']],
    ['kill', { profile: 'job', given: { allow_restarts: false } }, ['allow_restarts']],
    ['kill', { profile: 'job', given: { containers: false } }, ['kill', 'allow_restarts', 'containers']],
  ])('%s by %j', (name, permissions, switches) => {
    expect(closedBy(ENDPOINTS[name], permissions)).toEqual(switches);
  });
});
