import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectContainerd } from '../../src/containerd/connect.ts';
import { IMAGE_NAMESPACE } from '../../src/containerd/job-store.ts';
import type { Containerd } from '../../src/containerd/types.ts';
import {
  makeDirectories,
  removeDirectories,
  runBerth,
  showLogsOnFailure,
  startBerth,
  type Berth,
  type BerthDirectories,
} from '../support/e2e-berth.ts';
import { ask } from '../support/e2e-job.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';
import { storedAfterCollection } from '../support/image-job.ts';
import { serveMemoryRegistry } from '../support/memory-registry.ts';
import { pushImage, startRegistry, type Registry } from '../support/registry.ts';

// Jobs of one host, each with a berth of its own: what one has pulled, the next need not.

let directories: BerthDirectories;
let registry: Registry;
let image: string;
const berths: Berth[] = [];

beforeAll(async () => {
  directories = await makeDirectories();
  registry = await startRegistry();
  const layers = ['one', 'two'].map((content) => [{ type: 'file' as const, path: content, content }]);
  await pushImage(registry, 'team/app:1', { image: await buildImage({ layers, cmd: ['sh'] }), kind: 'oci' });
  image = `${registry.host}/team/app:1`;
});
afterAll(async () => {
  await registry.stop();
  await removeDirectories(directories);
});
showLogsOnFailure(() => berths);

async function start(...args: readonly string[]): Promise<Berth> {
  const berth = await startBerth({ directories, args });
  berths.push(berth);
  return berth;
}

async function blobReads(): Promise<number> {
  const seen = await registry.requests();
  return seen.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/')).length;
}

function report(berth: Berth): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: berth.ready.controlSocket, path: '/_berth/report' }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(JSON.parse(text)));
    });
    asking.on('error', reject).end();
  });
}

/** What is kept for later jobs, seen while a job keeps containerd running. */
async function collect(berth: Berth): Promise<{ content: readonly string[]; snapshots: readonly string[] }> {
  const { content, snapshots } = await look(berth, storedAfterCollection);
  return { content, snapshots };
}

async function look<T>(berth: Berth, question: (containerd: Containerd) => Promise<T>): Promise<T> {
  const containerd = connectContainerd(berth.ready.containerd, IMAGE_NAMESPACE);
  try {
    return await question(containerd);
  } finally {
    containerd.close();
  }
}

test('the next job, and one beside it, get an image without its layers crossing the network', async () => {
  const first = await start('--cache-scope', 'github.com/team/app');
  await ask(first, 'pull', image);
  expect(await ask(first, 'run', '--rm', image, 'cat', '/one', '/two')).toBe('onetwo');
  const stored = await collect(first);
  const reads = await blobReads();
  const beside = await start();
  await ask(beside, 'pull', image);
  await ask(beside, 'run', '-d', '--name', 'kept', image, 'sleep', '1000');
  expect((await first.stop()).code).toBe(0);
  expect(await collect(beside)).toMatchObject({ content: stored.content });
  expect(await ask(beside, 'exec', 'kept', 'cat', '/one')).toBe('one');
  expect((await beside.stop()).code).toBe(0);
  const next = await start('--cache-scope', 'github.com/team/app');
  await ask(next, 'pull', image);
  expect(await ask(next, 'run', '--rm', image, 'cat', '/two')).toBe('two');
  expect(await blobReads()).toBe(reads);
  expect(await report(next)).toMatchObject({
    pulls: { hit: 1, partial: 0, miss: 0, networkBytes: 0, recent: [{ image, cache: 'hit' }] },
  });
  expect(await ask(next, 'images', '-q')).not.toBe('');
  const { code, report: end } = await next.stop();
  expect({ code, end }).toMatchObject({ code: 0, end: { leaks: [], pulls: { hit: 1 } } });
});

test('what a job has pushed, the next of its scope need not download', async () => {
  const scope = ['--cache-scope', 'github.com/team/pushes'];
  const name = `${registry.host}/team/pushed:1`;
  const first = await start(...scope);
  const input = await dockerArchive([
    { image: await buildImage({ layers: [[{ type: 'file', path: 'new', content: 'new' }]] }), tags: [name] },
  ]);
  expect((await first.docker(['load'], { input })).code).toBe(0);
  await ask(first, 'push', name);
  const reads = await blobReads();
  expect((await first.stop()).code).toBe(0);
  const next = await start(...scope);
  await collect(next);
  await ask(next, 'pull', name);
  expect(await ask(next, 'run', '--rm', name, 'cat', '/new')).toBe('new');
  expect(await blobReads()).toBe(reads);
  expect(await report(next)).toMatchObject({ pulls: { hit: 1, networkBytes: 0 } });
  expect((await next.stop()).code).toBe(0);
});

test('a job that was killed leaves its containers files to gc, and the images to the next job', async () => {
  const killed = await start();
  await ask(killed, 'pull', image);
  await ask(killed, 'run', '-d', image, 'sleep', '1000');
  const living = await start('--cache-scope', '');
  const before = await collect(living);
  await killed.kill9();
  const gc = await runBerth(['gc', '--root', directories.root, '--run-dir', directories.runDir], {
    home: directories.home,
  });
  expect({ code: gc.code, out: gc.stdout }).toMatchObject({ code: 0 });
  const after = await collect(living);
  expect(after.content).toEqual(before.content);
  // Its container's, and the layer that all containers of the job begin with.
  expect(after.snapshots).toHaveLength(before.snapshots.length - 2);
  expect((await living.stop()).code).toBe(0);
});

test('a berth that was killed in the middle of a pull leaves nothing of it to gc, and the next job can pull', async () => {
  const origin = await serveMemoryRegistry();
  const half = await buildImage({
    layers: [[{ type: 'file', path: 'big', content: 'x'.repeat(3_000_000) }]],
  });
  origin.put('team/half', '1', half);
  const name = `${origin.host}/team/half:1`;
  const [layer] = half.layers.slice(-1);
  origin.intercept(({ url = '', method }, response) => {
    if (method !== 'GET' || !layer || !url.endsWith(layer.digest)) return false;
    response.writeHead(200, { 'content-length': layer.bytes.length });
    response.write(layer.bytes.subarray(0, layer.bytes.length / 2));
    return true;
  });
  const living = await start('--cache-scope', '');
  const before = await look(living, storedAfterCollection);
  const killed = await start();
  const pulling = killed.docker(['pull', name]);
  const writes = ({ content }: Containerd): Promise<readonly unknown[]> => content.statuses();
  await expect.poll(() => look(living, writes)).not.toEqual([]);
  await killed.kill9();
  expect((await pulling).code).not.toBe(0);
  const gc = await runBerth(['gc', '--root', directories.root, '--run-dir', directories.runDir], {
    home: directories.home,
  });
  expect({ code: gc.code, out: gc.stdout }).toMatchObject({ code: 0 });
  expect(await look(living, storedAfterCollection)).toEqual(before);
  origin.intercept(() => false);
  await ask(living, 'pull', name);
  expect(await ask(living, 'run', '--rm', name, 'sh', '-c', 'wc -c < /big')).toBe('3000000');
  expect((await living.stop()).code).toBe(0);
});

test('gc drops what no job uses from a disk that is too full, and the next job downloads it again', async () => {
  const fresh = async (name: string): Promise<string> => {
    const layers = [[{ type: 'file' as const, path: 'name', content: name }]];
    await pushImage(registry, `team/${name}:1`, {
      image: await buildImage({ layers, cmd: ['sh'] }),
      kind: 'oci',
    });
    return `${registry.host}/team/${name}:1`;
  };
  const [unused, used] = [await fresh('unused'), await fresh('used')];
  const first = await start();
  await ask(first, 'pull', unused);
  const running = await start();
  await ask(running, 'pull', used);
  await ask(running, 'run', '-d', '--name', 'runs', used, 'sleep', '1000');
  expect((await first.stop()).code).toBe(0);
  const before = await collect(running);
  const config = join(directories.home, 'full.toml');
  const gc = async (high: number): Promise<unknown> => {
    await writeFile(config, `[cache]\nhigh_percent = ${String(high)}\nlow_percent = 1\n`);
    const args = ['gc', '--root', directories.root, '--run-dir', directories.runDir, '--config', config];
    const { code, stdout } = await runBerth(args, { home: directories.home });
    expect(code).toBe(0);
    return stdout.split('\n').find((line) => line.includes('droppedImages'));
  };
  expect(await gc(100)).toBeUndefined();
  expect(await collect(running)).toEqual(before);
  // Of this test and those before: all that is kept and that no job uses.
  expect(JSON.parse(String(await gc(1)))).toEqual({ droppedImages: expect.any(Number) as number });
  expect((await collect(running)).content.length).toBeLessThan(before.content.length);
  expect(await ask(running, 'exec', 'runs', 'cat', '/name')).toBe('used');
  expect(await ask(running, 'run', '--rm', used, 'cat', '/name')).toBe('used');
  const reads = await blobReads();
  const next = await start();
  await ask(next, 'pull', used);
  expect(await blobReads()).toBe(reads);
  await ask(next, 'pull', unused);
  expect(await blobReads()).toBeGreaterThan(reads);
  for (const berth of [running, next]) expect((await berth.stop()).code).toBe(0);
});
