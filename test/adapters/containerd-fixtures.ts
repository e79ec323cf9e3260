import { constants, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { pack } from 'tar-stream';

import type { Any } from '../../src/containerd/types.ts';
import { loadLibc } from '../../src/host/libc.ts';
import { collect } from './containerd-suite.ts';

const specType = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
/** Type of an exec's spec. */
export const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

/** A value as containerd stores OCI types: JSON in an Any. */
export function json(typeUrl: string, value: unknown): Any {
  return { typeUrl, value: Buffer.from(JSON.stringify(value)) };
}

/** A gzip layer with a static busybox as sh and cat. */
export async function busyboxLayer(): Promise<Buffer> {
  const tar = pack();
  for (const name of ['bin', 'proc', 'dev']) tar.entry({ name, type: 'directory', mode: 0o755 });
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile('/bin/busybox'));
  for (const name of ['sh', 'cat']) tar.entry({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' });
  tar.finalize();
  return gzipSync(await collect(tar as AsyncIterable<Uint8Array>), { level: 1 });
}

/** An OCI process in a container without a terminal. */
export function ociProcess(args: readonly string[]): Record<string, unknown> {
  return { terminal: false, user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/' };
}

/** The least spec that runc takes. */
export function ociSpec(id: string, args: readonly string[]): Any {
  return json(specType, {
    ociVersion: '1.0.2',
    process: ociProcess(args),
    root: { path: 'rootfs' },
    hostname: 'test',
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: {
      cgroupsPath: `/berth-adapters/${id}`,
      namespaces: ['pid', 'ipc', 'uts', 'mount', 'network'].map((type) => ({ type })),
    },
  });
}

/** FIFOs of one process, and what it prints on stdout until its end. */
export interface Fifos {
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly output: Promise<string>;
}

async function readFifo(file: string): Promise<string> {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return (await collect(new Socket({ fd, readable: true, writable: false }))).toString();
}

/** Makes FIFOs named after the process; both outputs are read from now on. */
export async function makeFifos(directory: string, name: string): Promise<Fifos> {
  const libc = await loadLibc();
  const paths = ['stdin', 'stdout', 'stderr'].map((stream) => path.join(directory, `${name}-${stream}`));
  for (const file of paths) libc.mkfifo(file, 0o600);
  const [stdin = '', stdout = '', stderr = ''] = paths;
  const output = readFifo(stdout);
  // The shim waits for a reader of each.
  void readFifo(stderr);
  return { stdin, stdout, stderr, output };
}
