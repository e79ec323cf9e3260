import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { PROXIED_SNAPSHOTTER, serveProxiedSnapshotter } from '../support/proxied-snapshotter.ts';
import { startRealContainerd, type RealContainerd } from '../support/real-containerd.ts';

// [containerd] snapshotter: another one than overlayfs, and what berth says of those that it cannot work with.

let directory: string;
let behind: RealContainerd;
const closing: (() => unknown)[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-snapshotter-'));
  behind = await startRealContainerd();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await behind.stop();
  await rm(directory, { recursive: true, force: true });
});

async function configured(name: string): Promise<string[]> {
  const path = join(directory, `${name}.toml`);
  await writeFile(path, `[containerd]\nsnapshotter = "${name}"\n`);
  return ['--config', path];
}

/** A containerd that has a snapshotter of its operator's. */
async function startContainerd(snapshotterSocket: string): Promise<string> {
  const address = join(directory, 'c.sock');
  const config = join(directory, 'config.toml');
  await writeFile(
    config,
    [
      'version = 2',
      'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
      `root = "${directory}/root"`,
      `state = "${directory}/state"`,
      `[grpc]\naddress = "${address}"`,
      `[ttrpc]\naddress = "${directory}/t.sock"`,
      `[proxy_plugins.${PROXIED_SNAPSHOTTER}]\ntype = "snapshot"\naddress = "${snapshotterSocket}"`,
    ].join('\n'),
  );
  const daemon = spawn('containerd', ['--config', config, '--log-level', 'fatal'], { stdio: 'ignore' });
  closing.push(async () => {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  });
  const { connectContainerd } = await import('../../src/containerd/connect.ts');
  const client = connectContainerd(address, 'none');
  try {
    await expect
      .poll(
        () =>
          client.ping().then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
  } finally {
    client.close();
  }
  return address;
}

test('a snapshotter outside of containerd holds layers and files of containers', async () => {
  const lease = behind.connect('behind');
  await lease.namespaces.create({ name: 'behind', labels: {} });
  await lease.leases.create({ id: 'behind', labels: {} });
  const socket = join(directory, 's.sock');
  const stop = await serveProxiedSnapshotter(socket, {
    address: behind.address,
    namespace: 'behind',
    leaseId: 'behind',
  });
  closing.push(stop);
  const address = await startContainerd(socket);
  const berth = await startBerth({
    args: ['--containerd', address, ...(await configured(PROXIED_SNAPSHOTTER))],
  });
  await loadBusybox(berth);
  await ask(berth, 'run', '--name', 'one', 'busybox', 'sh', '-c', 'echo kept > /file');
  expect(await ask(berth, 'diff', 'one')).toBe('A /file');
  await ask(berth, 'commit', 'one', 'made');
  expect(await ask(berth, 'run', '--rm', 'made', 'cat', '/file')).toBe('kept');
  expect(await ask(berth, 'info', '-f', '{{.Driver}}')).toBe(PROXIED_SNAPSHOTTER);
  const kept = (await lease.snapshots.list()).map(({ kind }) => kind);
  expect(kept.filter((kind) => kind === 'committed').length).toBeGreaterThan(1);
  const end = await berth.stop();
  expect({ code: end.code, leaks: end.report?.leaks }, berth.logs()).toEqual({ code: 0, leaks: [] });
  expect(await lease.snapshots.list()).toEqual([]);
});

test.each([
  [
    'native',
    "containerd's snapshotter native mounts no overlays, which berth needs: [containerd] snapshotter",
  ],
  ['stargz', 'containerd has no snapshotter stargz, only native, overlayfs: [containerd] snapshotter'],
])('%s is refused at the start, and leaves nothing', async (name, words) => {
  const args = ['--containerd', behind.address, ...(await configured(name))];
  await expect(startBerth({ args })).rejects.toThrow(words);
  const client = behind.connect('none');
  expect(await client.namespaces.list().then((list) => list.filter((one) => one.name !== 'behind'))).toEqual(
    [],
  );
});
