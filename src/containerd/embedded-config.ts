import path from 'node:path';

import { EngineError } from '../errors.ts';

// sockaddr_un holds 108 bytes, the last of them zero.
const maxSocketPathBytes = 107;

// Kubernetes, snapshotters that need special disks, tracing, the restarter of containers and the plugin that makes
// /opt/containerd: names of all releases from 1.6 to 2.x, unknown ones do no harm.
const disabledPlugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.cri.v1.images',
  'io.containerd.cri.v1.runtime',
  'io.containerd.podsandbox.controller.v1.podsandbox',
  'io.containerd.nri.v1.nri',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.erofs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.tracing',
  'io.containerd.internal.v1.restart',
  'io.containerd.monitor.container.v1.restart',
  'io.containerd.internal.v1.opt',
];

/** Where the embedded containerd of a root keeps its things. */
export interface EmbeddedPaths {
  readonly directory: string;
  readonly config: string;
  readonly log: string;
  readonly pid: string;
  readonly socket: string;
  readonly startLock: string;
  readonly users: string;
  /** Where it mounts the snapshots that it unpacks into. */
  readonly temporaryMounts: string;
}

/** The paths below a root; InvalidArgument where the socket's would be too long for the kernel. */
export function embeddedPaths(root: string): EmbeddedPaths {
  const directory = path.join(path.resolve(root), 'containerd');
  const socket = path.join(directory, 'containerd.sock');
  const bytes = Buffer.byteLength(socket);
  if (bytes > maxSocketPathBytes) {
    const limit = `${bytes} bytes, the kernel allows ${maxSocketPathBytes}: use a shorter --root`;
    throw new EngineError('InvalidArgument', `path of containerd's socket is too long (${socket}: ${limit})`);
  }
  return {
    directory,
    socket,
    config: path.join(directory, 'config.toml'),
    log: path.join(directory, 'containerd.log'),
    pid: path.join(directory, 'containerd.pid'),
    startLock: path.join(directory, 'start.lock'),
    users: path.join(directory, 'users'),
    temporaryMounts: path.join(directory, 'root', 'tmpmounts'),
  };
}

/** The private configuration: nothing of it touches the host's own containerd. */
export function embeddedConfig({ directory, socket }: EmbeddedPaths): string {
  const quote = (text: string): string => JSON.stringify(text);
  return [
    'version = 2',
    `root = ${quote(path.join(directory, 'root'))}`,
    `state = ${quote(path.join(directory, 'state'))}`,
    `disabled_plugins = [${disabledPlugins.map(quote).join(', ')}]`,
    'oom_score = 0',
    '[grpc]',
    `address = ${quote(socket)}`,
    'uid = 0',
    'gid = 0',
    '[ttrpc]',
    `address = ${quote(path.join(directory, 'ttrpc.sock'))}`,
    // A blob belongs to the namespaces whose jobs have shown its bytes: knowing a digest gives nobody another job's layer.
    '[plugins."io.containerd.metadata.v1.bolt"]',
    'content_sharing_policy = "isolated"',
    '[debug]',
    'level = "warn"',
    '',
  ].join('\n');
}
