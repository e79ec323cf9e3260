import { afterEach, describe, expect, it } from 'vitest';
import { systemRoutes } from '../../src/api/system/routes.ts';
import type { JobStore } from '../../src/containerd/job-store.ts';
import type { Containerd, Snapshots } from '../../src/containerd/types.ts';
import type { Job } from '../../src/engine/job.ts';
import { EngineError } from '../../src/errors.ts';
import type { HostFacts, LimitSupport } from '../../src/host/types.ts';
import { BERTH_VERSION } from '../../src/version.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, rawHttp, type RawResponse } from '../support/raw-http.ts';
import {
  exitedAt,
  makeContainer,
  makeContainerStore,
  makeId,
  makeImage,
  makeImages,
  NOW,
  partOf,
  runningSince,
} from '../support/records.ts';

const LIMITS: LimitSupport = {
  memory: true,
  swap: false,
  kernelMemoryTcp: true,
  oomKillDisable: true,
  cpuCfsPeriod: true,
  cpuCfsQuota: true,
  cpuShares: true,
  cpuSet: true,
  pids: true,
  blkioWeight: false,
};

const HOST: HostFacts = {
  hostname: 'node-7',
  cpus: 3,
  memoryBytes: 8192,
  kernelVersion: '6.1.0-test',
  osName: 'Debian GNU/Linux 12 (bookworm)',
  osVersion: '12',
  architecture: 'amd64',
  machine: 'x86_64',
  cgroupVersion: '2',
  limits: LIMITS,
  ipv4Forwarding: true,
  bridgeNfIptables: false,
  bridgeNfIp6tables: false,
  lastCap: 40,
  boundingSet: 0n,
  highestUlimits: new Map(),
  hasSeccomp: true,
  hasAppArmor: false,
  hasSelinux: false,
};

const CONTAINERD = partOf<Containerd>({
  version: { version: async () => ({ version: 'v1.6.20', revision: 'rev1' }) },
});

function container(
  start: string,
  parts: Parameters<typeof makeContainer>[0],
): ReturnType<typeof makeContainer> {
  return makeContainer({ id: makeId(start), name: start, ...parts });
}

const PARTS: Partial<Job> = {
  daemonId: 'daemon-1',
  host: HOST,
  hostWarnings: ['runc is old'],
  budget: { memoryBytes: 4096, cpus: 1.5, pids: 10, cpuset: { cpus: '0-1', mems: '0' } },
  runtimeVersion: async () => ({ version: '1.1.5', commit: 'abc123' }),
  containerd: CONTAINERD,
  store: partOf<JobStore>({ snapshots: partOf<Snapshots>({ snapshotter: 'overlayfs' }) }),
  images: makeImages({ 'docker.io/library/a:1': makeImage('a1', ['1']) }),
  containers: makeContainerStore([
    container('a1', {}),
    container('a2', { state: runningSince(NOW) }),
    container('a3', { state: runningSince(NOW, true) }),
    container('a4', { state: exitedAt(NOW) }),
    container('a5', { state: runningSince(NOW), isHidden: true }),
  ]),
};

let app: ContractApp;

afterEach(async () => {
  await app.close();
});

async function start(parts: Partial<Job> = PARTS): Promise<void> {
  app = await startContractApp(systemRoutes, parts);
}

function get(path: string, method = 'GET'): Promise<RawResponse> {
  return rawHttp(app.socketPath, formatRequest({ method, path }));
}

function parse(response: RawResponse): unknown {
  return JSON.parse(response.body.toString());
}

describe('/_ping', () => {
  it.each([
    ['GET', '/_ping', 'OK'],
    ['HEAD', '/_ping', ''],
    ['GET', '/v1.41/_ping', 'OK'],
  ])('%s %s has all that clients negotiate by', async (method, path, body) => {
    await start();
    const response = await get(path, method);
    expect(response.status).toBe(200);
    expect(response.body.toString()).toBe(body);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'api-version': '1.51',
      'builder-version': '2',
      'cache-control': 'no-cache, no-store, must-revalidate',
      'content-length': String(body.length),
      'content-type': 'text/plain; charset=utf-8',
      'docker-experimental': 'false',
      ostype: 'linux',
      pragma: 'no-cache',
      swarm: 'inactive',
    });
  });

  it('answers without containerd', async () => {
    await start({});
    expect((await get('/_ping')).status).toBe(200);
  });
});

describe('/version', () => {
  it('names berth and what it runs on', async () => {
    await start();
    expect(parse(await get('/version'))).toMatchObject({
      Platform: { Name: 'berth' },
      Version: BERTH_VERSION,
      ApiVersion: '1.51',
      MinAPIVersion: '1.24',
      Os: 'linux',
      Arch: 'amd64',
      KernelVersion: '6.1.0-test',
      Components: [
        {
          Name: 'Engine',
          Version: BERTH_VERSION,
          Details: { ApiVersion: '1.51', Os: 'linux', Arch: 'amd64' },
        },
        { Name: 'containerd', Version: 'v1.6.20', Details: { GitCommit: 'rev1' } },
        { Name: 'runc', Version: '1.1.5', Details: { GitCommit: 'abc123' } },
      ],
    });
  });

  it('leaves out what does not answer', async () => {
    const down = (): Promise<never> => Promise.reject(new EngineError('Unavailable', 'containerd is down'));
    await start({ ...PARTS, containerd: partOf<Containerd>({ version: { version: down } }) });
    expect(parse(await get('/version'))).toMatchObject({
      Components: [{ Name: 'Engine' }, { Name: 'runc' }],
    });
  });
});

describe('/info', () => {
  it('tells the facts of the machine and counts what the job can see', async () => {
    await start();
    expect(parse(await get('/info'))).toMatchObject({
      ID: 'daemon-1',
      Containers: 4,
      ContainersRunning: 1,
      ContainersPaused: 1,
      ContainersStopped: 2,
      Images: 1,
      Driver: 'overlayfs',
      DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
      // Where volumes say that they are mounted.
      DockerRootDir: '/var/lib/docker',
      NCPU: 2,
      MemTotal: 4096,
      CgroupDriver: 'cgroupfs',
      CgroupVersion: '2',
      MemoryLimit: true,
      SwapLimit: false,
      Architecture: 'x86_64',
      OSType: 'linux',
      Name: 'node-7',
      ServerVersion: BERTH_VERSION,
      SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
      DefaultRuntime: 'runc',
      Swarm: { LocalNodeState: 'inactive' },
      Warnings: ['WARNING: No swap limit support', 'WARNING: runc is old'],
      ContainerdCommit: { ID: 'rev1' },
      RuncCommit: { ID: 'abc123' },
      RegistryConfig: {
        InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', '10.0.0.0/8'],
        IndexConfigs: {
          'docker.io': { Official: true, Secure: true },
          'reg.test:5000': { Name: 'reg.test:5000', Official: false, Secure: false },
        },
      },
    });
  });

  it.each([
    [
      '1.41',
      { KernelMemory: false, BridgeNfIptables: false, RuncCommit: { ID: 'abc123', Expected: 'abc123' } },
    ],
    ['1.49', { BridgeNfIptables: false, RuncCommit: { ID: 'abc123', Expected: 'abc123' } }],
    ['1.51', { RuncCommit: { ID: 'abc123' } }],
  ])('has the fields of version %s', async (version, expected) => {
    await start();
    const info = parse(await get(`/v${version}/info`)) as Record<string, unknown>;
    const named = ['KernelMemory', 'BridgeNfIptables', 'RuncCommit'].filter((name) => name in info);
    expect(Object.fromEntries(named.map((name) => [name, info[name]]))).toEqual(expected);
  });

  it('answers while containerd is down, without its commit', async () => {
    const down = (): Promise<never> => Promise.reject(new EngineError('Unavailable', 'containerd is down'));
    await start({ ...PARTS, containerd: partOf<Containerd>({ version: { version: down } }) });
    expect(parse(await get('/info'))).toMatchObject({ ContainerdCommit: { ID: 'N/A' } });
  });
});

describe('what is not served', () => {
  const manager =
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

  it.each([
    ['GET', '/swarm'],
    ['POST', '/swarm/init'],
    ['GET', '/nodes'],
    ['GET', '/services'],
    ['GET', '/services/web'],
    ['POST', '/services/create'],
    ['GET', '/tasks'],
    ['GET', '/secrets'],
    ['DELETE', '/configs/x'],
  ])('%s %s is 503 in the words of dockerd', async (method, path) => {
    await start({});
    const response = await get(path, method);
    expect([response.status, parse(response)]).toEqual([503, { message: manager }]);
  });

  it.each([
    ['POST', '/build/cancel'],
    ['POST', '/plugins/pull'],
    ['GET', '/plugins/privileges'],
    ['POST', '/containers/x/checkpoints'],
  ])('%s %s is 501 and says what it is about', async (method, path) => {
    await start({});
    const response = await get(path, method);
    expect(response.status).toBe(501);
    expect(JSON.stringify(parse(response))).toMatch(/not supported/);
    expect(app.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('GET /plugins is an empty list, OPTIONS says nothing, debug pages are unknown', async () => {
    await start({});
    expect(parse(await get('/plugins'))).toEqual([]);
    const options = await get('/containers/json', 'OPTIONS');
    expect([options.status, options.body.length]).toEqual([200, 0]);
    expect([...options.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await get('/debug/pprof')).status).toBe(404);
  });
});
