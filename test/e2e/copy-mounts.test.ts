import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startDockerd, type DockerdOracle } from '../support/dockerd-oracle.ts';
import { startBerth, type Berth } from '../support/e2e-berth.ts';
import { loadBusybox } from '../support/e2e-job.ts';
import type { CommandResult } from '../support/e2e-process.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage } from '../support/image-builder.ts';

// docker cp from and to everything that can be mounted in a container, before it runs, while and after: as dockerd does.

type Docker = (args: readonly string[], options?: { readonly input?: Buffer }) => Promise<CommandResult>;
type State = 'created' | 'running' | 'exited';

const STATES: readonly State[] = ['created', 'running', 'exited'];
const OUT_OF: readonly string[] = [
  '/bound',
  '/bound/',
  '/bound/.',
  '/bound/file',
  '/bound/nested',
  '/bound/none',
  '/etc/one.conf',
  '/link.conf',
  '/link.dir',
  '/link.dir/file',
  '/ro/file',
  '/vol',
  '/vol/inner.conf',
  '/holder',
];
const INTO: readonly string[] = [
  '/bound',
  '/bound/nested',
  '/ro',
  '/vol',
  '/etc',
  '/etc/one.conf',
  '/link.dir',
  '/none',
];

/** dockerd puts these into a layer of its own for each container; here there are only their mounts. */
const OF_DOCKERDS_OWN_LAYER = new Set(['etc/hostname', 'etc/hosts', 'etc/mtab', 'etc/resolv.conf']);

let top: string;
let oracle: DockerdOracle | undefined;
let berth: Berth | undefined;
const dockerd: Docker = async (args, options) => {
  if (!oracle) throw new Error('dockerd has not started');
  return oracle.docker(args, options);
};
const ours: Docker = async (args, options) => {
  if (!berth) throw new Error('berth has not started');
  return berth.docker(args, options);
};
const BOTH: readonly (readonly [name: string, docker: Docker])[] = [
  ['dockerd', dockerd],
  ['berth', ours],
];

beforeAll(async () => {
  top = await mkdtemp('/tmp/berth-copy-');
  oracle = await startDockerd();
  berth = await startBerth({ args: ['--workspace', top] });
  await loadBusybox(berth);
  const image = await buildImage({ cmd: ['sh'] });
  const loaded = await dockerd(['load'], {
    input: await dockerArchive([{ image, tags: ['busybox:latest'] }]),
  });
  expect(loaded.code, loaded.stderr).toBe(0);
  for (const [name, docker] of BOTH) for (const state of STATES) await prepare(name, docker, state);
});
afterAll(async () => {
  for (const [, docker] of BOTH) await docker(['rm', '-f', ...STATES]);
  await oracle?.stop();
  const end = await berth?.stop();
  await rm(top, { recursive: true, force: true });
  expect(end?.report?.leaks).toEqual([]);
});

/** A container with a file, a directory and a volume bound in each way; what is bound is the daemon's own. */
async function prepare(name: string, docker: Docker, state: State): Promise<void> {
  const own = join(top, name, state);
  await mkdir(join(own, 'dir'), { recursive: true });
  await writeFile(join(own, 'dir/file'), 'of the directory');
  await writeFile(join(own, 'one.conf'), 'of the file');
  const flags = [
    ...['-v', `${own}/dir:/bound`, '-v', `${own}/dir:/ro:ro`, '-v', `${own}/one.conf:/etc/one.conf`],
    ...[
      '-v',
      `volume-${state}:/vol`,
      '-v',
      `${own}/one.conf:/vol/inner.conf`,
      '-v',
      `nested-${state}:/bound/nested`,
    ],
    ...['-v', `${own}/dir:/holder/deep/er`, '--tmpfs', '/tmpfs', '--network', 'none', '--hostname', 'box'],
  ];
  const script =
    'ln -s /etc/one.conf /link.conf; ln -s /bound /link.dir; echo mine > /vol/made; echo up; sleep 1000';
  const made = await docker(['create', '--name', state, ...flags, 'busybox', 'sh', '-c', script]);
  expect(made.code, made.stderr).toBe(0);
  if (state === 'created') return;
  expect((await docker(['start', state])).code).toBe(0);
  await vi.waitUntil(async () => (await docker(['logs', state])).stdout === 'up\n', { timeout: 30_000 });
  if (state === 'exited') await docker(['kill', state]);
}

/** How a copy ended, and what was in its tar. */
async function copyOut(name: string, docker: Docker, from: string): Promise<unknown> {
  const { code, stdout, stderr } = await docker(['cp', from, '-']);
  return { code, stderr: inWords(name, stderr), entries: await listTar(Buffer.from(stdout)) };
}

async function listTar(tar: Buffer): Promise<readonly string[]> {
  const parser = extract();
  parser.end(tar);
  const lines: string[] = [];
  for await (const entry of parser) {
    const { type, name, mode, uid, gid, linkname } = entry.header;
    const content = (await buffer(entry)).toString();
    if (!OF_DOCKERDS_OWN_LAYER.has(name))
      lines.push([type, name, (mode & 0o7777).toString(8), uid, gid, linkname, content].join(' '));
  }
  return lines;
}

/** The same of both daemons: without the ids of containers, and the places that are each one's own. */
function inWords(name: string, text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(join(top, name), 'TOP')
    .replace(/Error processing tar file\(exit status 1\): /, '');
}

describe.each(STATES)('%s', (state) => {
  test.each(OUT_OF)('out of %s', async (path) => {
    const seen = [];
    for (const [name, docker] of BOTH) seen.push(await copyOut(name, docker, `${state}:${path}`));
    expect(seen[1]).toEqual(seen[0]);
  });

  test.each(INTO)('into %s', async (path) => {
    const archive = pack();
    archive.entry({ name: 'planted' }, 'planted');
    archive.entry({ name: 'one.conf' }, 'replaced');
    archive.finalize();
    const input = await buffer(archive);
    const seen = [];
    for (const [name, docker] of BOTH) {
      const { code, stderr } = await docker(['cp', '-', `${state}:${path}`], { input });
      seen.push([code, inWords(name, stderr), await copyOut(name, docker, `${state}:${path}`)]);
    }
    expect(seen[1]).toEqual(seen[0]);
  });
});

test.each(STATES.slice(1))('out of what the network makes of a container: %s', async (state) => {
  const seen = [];
  for (const [name, docker] of BOTH)
    for (const path of ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf'])
      // Newer versions of dockerd write the same addresses in fewer characters.
      seen.push([
        path,
        JSON.stringify(await copyOut(name, docker, `${state}:${path}`)).replaceAll('00::0', '00::'),
      ]);
  expect(seen.slice(3)).toEqual(seen.slice(0, 3));
});
