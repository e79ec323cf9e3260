import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectContainerd } from '../../src/containerd/connect.ts';
import { IMAGE_NAMESPACE } from '../../src/containerd/job-store.ts';
import type { Containerd } from '../../src/containerd/types.ts';
import { createApiClient, type ApiClient } from '../support/api-client.ts';
import { ask, useJob } from '../support/e2e-job.ts';
import { buildImage } from '../support/image-builder.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';

// The gate on a real containerd: what is refused changes nothing there, and asks no registry.

const closed = useJob();

let containerd: Containerd;
let store: Containerd;
let api: ApiClient;
let registry: Registry;

beforeAll(async () => {
  const { ready } = closed.berth;
  containerd = connectContainerd(ready.containerd, ready.namespace);
  store = containerd.inNamespace(IMAGE_NAMESPACE);
  api = createApiClient(ready.socket);
  registry = await startRegistry();
  await pushImage(registry, 'team/app:1', { image: await buildImage({ base: 'scratch' }), kind: 'oci' });
});
afterAll(async () => {
  containerd.close();
  await registry.stop();
});

/** Everything of the job that containerd has, by name. */
async function objects(): Promise<unknown> {
  const [containers, tasks, snapshots, images, leases, content] = await Promise.all([
    containerd.containers.list(),
    containerd.tasks.list(),
    store.snapshots.list(),
    store.images.list(),
    store.leases.list(),
    store.content.list(),
  ]);
  return {
    containers: containers.map(({ id }) => id).sort(),
    tasks: tasks.map(({ id }) => id).sort(),
    snapshots: snapshots.map(({ name }) => name).sort(),
    images: images.map(({ name }) => name).sort(),
    leases: leases.map(({ id }) => id).sort(),
    content: content.map(({ digest }) => digest).sort(),
  };
}

describe('with the gate closed', () => {
  test.each([
    ['--privileged'],
    ['--cap-add=SYS_ADMIN'],
    ['--cap-add=ALL'],
    ['--security-opt=seccomp=unconfined'],
    ['--security-opt=apparmor=unconfined'],
    ['--security-opt=systempaths=unconfined'],
    ['--pid=host'],
    ['--ipc=host'],
    ['--uts=host'],
    ['--cgroupns=host'],
    ['--device=/dev/null'],
    ['--device-cgroup-rule=a *:* rwm'],
    ['--oom-score-adj=-1000'],
  ])('docker run %s is refused, whatever image, and nothing is there afterwards', async (flag) => {
    const before = await objects();
    for (const image of ['busybox', `${registry.host}/team/app:1`, 'no/such:image']) {
      const { code, stderr } = await closed.berth.docker(['run', '--rm', flag, image, 'true']);
      expect(code).toBe(125);
      expect(stderr).toMatch(/is refused: /);
    }
    expect(await registry.requests()).toEqual([]);
    expect(await objects()).toEqual(before);
  });

  test('docker exec --privileged is refused, and the refusal names the setting and a safer way', async () => {
    const id = await ask(closed.berth, 'run', '-d', 'busybox', 'sleep', '1000');
    const before = await objects();
    const { code, stderr } = await closed.berth.docker(['exec', '--privileged', id, 'true']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /exec privileged true is refused.*dind\.allow_privileged = true.*without --privileged/s,
    );
    expect(await objects()).toEqual(before);
    await ask(closed.berth, 'rm', '-f', id);
  });

  test('the environment of the job and files of it open nothing', async () => {
    const env = { ALLOW_PRIVILEGED: '1', BERTH_ALLOW_PRIVILEGED: 'true', DIND_ALLOW_PRIVILEGED: '1' };
    const { code } = await closed.berth.docker(['run', '--privileged', 'busybox', 'true'], { env });
    expect(code).toBe(125);
  });

  test('unknown capabilities are refused as dockerd does', async () => {
    const body = { Image: 'busybox', HostConfig: { CapDrop: ['NOPE'] } };
    expect(await api.post('/containers/create', body)).toMatchObject({
      status: 400,
      message: 'invalid CapDrop: unknown capability: "CAP_NOPE"',
    });
  });
});
