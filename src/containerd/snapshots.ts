import type { CallScope, Channel } from './channel.ts';
import { labelPaths, required, toDate, toMounts } from './convert.ts';
import type { Info } from './generated/snapshots.ts';
import type { SnapshotInfo, SnapshotKind, Snapshots } from './types-store.ts';

const kinds: Readonly<Record<Info['kind'], SnapshotKind>> = {
  UNKNOWN: 'unknown',
  VIEW: 'view',
  ACTIVE: 'active',
  COMMITTED: 'committed',
};

/** Snapshots service, for one snapshotter. */
export function createSnapshots(channel: Channel, scope: CallScope, snapshotter: string): Snapshots {
  const caller = channel.caller('snapshots', scope);
  return {
    snapshotter,
    async prepare(snapshot) {
      return toMounts((await caller.unary('Prepare', { snapshotter, ...snapshot })).mounts);
    },
    async view(snapshot) {
      return toMounts((await caller.unary('View', { snapshotter, ...snapshot })).mounts);
    },
    async mounts(key) {
      return toMounts((await caller.unary('Mounts', { snapshotter, key })).mounts);
    },
    async commit(request) {
      await caller.unary('Commit', { snapshotter, ...request });
    },
    async stat(key) {
      return toInfo((await caller.unary('Stat', { snapshotter, key })).info);
    },
    async list(filters = []) {
      const infos: SnapshotInfo[] = [];
      for await (const { info } of caller.stream('List', { snapshotter, filters }))
        infos.push(...info.map(toInfo));
      return infos;
    },
    async remove(key) {
      await caller.unary('Remove', { snapshotter, key });
    },
    async usage(key) {
      const { size, inodes } = await caller.unary('Usage', { snapshotter, key });
      return { sizeBytes: size, inodes };
    },
    async updateLabels(key, labels) {
      const request = { snapshotter, info: { name: key, labels }, updateMask: labelPaths(labels) };
      return toInfo((await caller.unary('Update', request)).info);
    },
  };
}

function toInfo(raw: Info | null): SnapshotInfo {
  const info = required(raw, 'a snapshot');
  return {
    name: info.name,
    parent: info.parent,
    kind: kinds[info.kind],
    labels: info.labels,
    createdAt: toDate(info.createdAt),
    updatedAt: toDate(info.updatedAt),
  };
}
