import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { busyboxEntries } from './image-builder-busybox.ts';

/** One thing in a layer. Paths are relative to the root; whiteouts are files named as the image format has it. */
export interface LayerEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'fifo';
  readonly content?: string | Buffer;
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** How a layer is packed, and so what its media type is. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** What an image is made of and what its configuration says. */
export interface ImageOptions {
  /** `busybox` (the machine's, with all applets and a few users) or nothing below the layers. */
  readonly base?: 'busybox' | 'scratch';
  readonly layers?: readonly (readonly LayerEntry[])[];
  readonly compression?: Compression;
  readonly architecture?: string;
  readonly os?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
  readonly volumes?: readonly string[];
  readonly exposedPorts?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  readonly healthcheck?: Readonly<Record<string, unknown>>;
}

/** Bytes and their sha256, as registries name them. */
export interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** A layer as it is stored and as it is unpacked. */
export interface Layer extends Blob {
  readonly compression: Compression;
  /** Digest and bytes of the tar inside. */
  readonly tar: Blob;
}

/** An image in memory; image-builder-archives.ts and registry.ts carry it elsewhere. */
export interface BuiltImage {
  readonly architecture: string;
  readonly os: string;
  readonly config: Blob;
  readonly layers: readonly Layer[];
}

/** The architecture of this machine, in the image format's words. */
export function hostArchitecture(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return names[process.arch] ?? process.arch;
}

/** The bytes with their digest. */
export function toBlob(bytes: Buffer): Blob {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** An entry that hides what the layers below have at the path. */
export function whiteout(path: string): LayerEntry {
  const slash = path.lastIndexOf('/') + 1;
  return { type: 'file', path: `${path.slice(0, slash)}.wh.${path.slice(slash)}` };
}

/** An entry that hides all that the layers below have in the directory. */
export function opaque(directory: string): LayerEntry {
  return { type: 'file', path: `${directory}/.wh..wh..opq` };
}

/** Builds an image; the same options give the same digests on the same machine. */
export async function buildImage(options: ImageOptions = {}): Promise<BuiltImage> {
  const base = options.base === 'scratch' ? [] : [await busyboxEntries()];
  const compression = options.compression ?? 'gzip';
  const contents = [...base, ...(options.layers ?? [])];
  const layers = await Promise.all(contents.map((entries) => buildLayer(entries, compression)));
  const architecture = options.architecture ?? hostArchitecture();
  const os = options.os ?? 'linux';
  const config = {
    architecture,
    os,
    created: '2024-01-01T00:00:00Z',
    config: containerConfig(options),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.tar.digest) },
    history: layers.map((_, index) => ({ created: '2024-01-01T00:00:00Z', created_by: `layer ${index}` })),
  };
  return { architecture, os, config: toBlob(Buffer.from(JSON.stringify(config))), layers };
}

/** The entries as a tar. */
export async function packTar(entries: readonly LayerEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { path, type, content, target, mode, uid, gid } of entries) {
    const header = {
      name: type === 'directory' ? `${path}/` : path,
      type,
      mode: mode ?? (type === 'directory' ? 0o755 : 0o644),
      uid: uid ?? 0,
      gid: gid ?? 0,
      mtime: new Date(0),
    };
    tar.entry(target === undefined ? header : { ...header, linkname: target }, content ?? '');
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function buildLayer(entries: readonly LayerEntry[], compression: Compression): Promise<Layer> {
  const tar = toBlob(await packTar(entries));
  return { ...toBlob(await compress(tar.bytes, compression)), compression, tar };
}

function compress(bytes: Buffer, compression: Compression): Promise<Buffer> {
  switch (compression) {
    case 'none':
      return Promise.resolve(bytes);
    case 'gzip':
      return promisify(gzip)(bytes, { level: 1 });
    case 'zstd':
      return zstd(bytes);
  }
}

/** By the zstd program: this Node has no zstd of its own. */
function zstd(bytes: Buffer): Promise<Buffer> {
  return new Promise((settle, fail) => {
    const child = execFile(
      'zstd',
      ['--stdout', '--quiet', '-1'],
      { encoding: 'buffer', maxBuffer: 1 << 30 },
      (error, stdout) => {
        if (error === null) settle(stdout);
        else fail(new Error('zstd failed', { cause: error }));
      },
    );
    child.stdin?.end(bytes);
  });
}

function containerConfig(options: ImageOptions): object {
  const asSet = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, {}]));
  return {
    Env: withPath(options.env ?? []),
    Cmd: options.cmd ?? (options.entrypoint === undefined ? ['sh'] : null),
    ...(options.entrypoint === undefined ? {} : { Entrypoint: options.entrypoint }),
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
    ...(options.volumes === undefined ? {} : { Volumes: asSet(options.volumes) }),
    ...(options.exposedPorts === undefined ? {} : { ExposedPorts: asSet(options.exposedPorts) }),
    ...(options.labels === undefined ? {} : { Labels: options.labels }),
    ...(options.stopSignal === undefined ? {} : { StopSignal: options.stopSignal }),
    ...(options.healthcheck === undefined ? {} : { Healthcheck: options.healthcheck }),
  };
}

function withPath(env: readonly string[]): readonly string[] {
  if (env.some((one) => one.startsWith('PATH='))) return env;
  return ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env];
}
