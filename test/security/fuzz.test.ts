import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { createRandom, damage, fields, pick, VALUES, SEED_SHIFT } from '../support/seeded-random.ts';

// A bounded walk through malformed requests, the same at every run: no status of 500 or above, no hang, no crash.

const ROUNDS = 400;
let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
  await fake.api.post('/containers/create?name=runs', { Image: 'app' });
  await fake.api.post('/containers/runs/start');
});
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

const CREATE_FIELDS = [
  'Hostname', 'Domainname', 'User', 'AttachStdin', 'Tty', 'OpenStdin', 'Env', 'Cmd', 'Entrypoint', 'Image', 'Labels',
  'Volumes', 'WorkingDir', 'StopSignal', 'StopTimeout', 'Healthcheck', 'ExposedPorts', 'Shell', 'OnBuild', 'MacAddress',
  'NetworkDisabled', 'NetworkingConfig', '__proto__', 'constructor',
]; // prettier-ignore

const HOST_FIELDS = [
  'Binds', 'Mounts', 'Tmpfs', 'CapAdd', 'CapDrop', 'Privileged', 'SecurityOpt', 'NetworkMode', 'PidMode', 'IpcMode',
  'UTSMode', 'UsernsMode', 'CgroupnsMode', 'CgroupParent', 'Devices', 'DeviceRequests', 'Memory', 'MemorySwap',
  'NanoCpus', 'CpusetCpus', 'PidsLimit', 'Ulimits', 'Sysctls', 'ShmSize', 'LogConfig', 'RestartPolicy', 'AutoRemove',
  'PortBindings', 'ExtraHosts', 'Dns', 'DnsSearch', 'GroupAdd', 'Links', 'VolumesFrom', 'Runtime', 'Annotations',
  'ReadonlyRootfs', 'OomScoreAdj', 'BlkioWeight', 'ConsoleSize', 'MaskedPaths', 'StorageOpt', 'Init', '__proto__',
]; // prettier-ignore

const EXEC_FIELDS = [
  'Cmd', 'Env', 'User', 'WorkingDir', 'Privileged', 'Tty', 'AttachStdin', 'AttachStdout', 'DetachKeys', 'ConsoleSize',
  'CapAdd', '__proto__',
]; // prettier-ignore

async function expectOrderly(path: string, body: string): Promise<string> {
  const { status, message, body: answer } = await fake.api.post(path, body);
  expect(status, `${path} ${body.slice(0, 2000)}: ${message}`).toBeLessThan(502);
  expect(status, `${path} ${body.slice(0, 2000)}: ${message}`).not.toBe(500);
  return status === 201 ? (answer as { readonly Id: string }).Id : '';
}

describe('the same random requests every time', { timeout: 60_000 }, () => {
  it('create', async () => {
    const random = createRandom(20_240_506 + SEED_SHIFT);
    let admitted = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = {
        Image: 'app',
        ...(random(2) === 0 ? {} : fields(random, CREATE_FIELDS, 2)),
        HostConfig: random(10) === 0 ? pick(random, VALUES) : fields(random, HOST_FIELDS, 1 + random(2)),
      };
      const id = await expectOrderly('/containers/create', damage(random, JSON.stringify(body)));
      if (id === '') continue;
      admitted += 1;
      const started = await fake.api.post(`/containers/${id}/start`);
      expect(started.status, `${JSON.stringify(body)}: ${started.message}`).not.toBe(500);
      expect((await fake.api.get(`/containers/${id}/json`)).status).toBe(200);
      expect((await fake.api.delete(`/containers/${id}?force=1&v=1`)).status).toBe(204);
    }
    // Otherwise the walk would only ever see the first check.
    expect(admitted).toBeGreaterThan(10);
  });

  it('exec', async () => {
    const random = createRandom(7 + SEED_SHIFT);
    let admitted = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = { Cmd: ['x'], ...fields(random, EXEC_FIELDS, 3) };
      const id = await expectOrderly('/containers/runs/exec', damage(random, JSON.stringify(body)));
      if (id === '') continue;
      admitted += 1;
      const start = damage(random, '{"Detach":true}');
      // Without its member it would be followed to its end, which never comes.
      await expectOrderly(`/exec/${id}/start`, start.includes('"Detach":true') ? start : '{"Detach":true}');
      expect((await fake.api.get(`/exec/${id}/json`)).status).toBe(200);
    }
    expect(admitted).toBeGreaterThan(ROUNDS / 20);
  });

  it('paths of docker cp', async () => {
    const random = createRandom(99 + SEED_SHIFT);
    const pieces = [
      '/',
      '..',
      '.',
      'etc',
      'passwd',
      '\u0000',
      '%2e',
      'proc',
      'self',
      'fd',
      '3',
      '\n',
      'ä',
      'x'.repeat(300),
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = Array.from({ length: random(8) + 1 }, () => pick(random, pieces)).join(
        pick(random, ['/', '', '//']),
      );
      const at = `/containers/runs/archive?path=${encodeURIComponent(path)}`;
      const read = await fake.api.get(at);
      expect(read.status, `${JSON.stringify(path)}: ${read.message}`).toBeLessThan(500);
      const written = await fake.api.put(at, Buffer.alloc(random(1024), random(256)));
      expect(written.status, `${JSON.stringify(path)}: ${written.message}`).toBeLessThan(500);
    }
  });
});
