import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';

import type {
  Content,
  ContentSource,
  Diff,
  Mount,
  NewContent,
  SnapshotInfo,
  Snapshots,
} from '../../src/containerd/types.ts';
import { EngineError } from '../../src/errors.ts';
import {
  assertFree,
  found,
  keepByLease,
  labelFields,
  matches,
  mergeLabels,
  namespaceOf,
  type FakeScope,
} from './fake-containerd-state.ts';

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function addBlob(scope: FakeScope, bytes: Uint8Array, labels: Readonly<Record<string, string>>): string {
  const digest = sha256(bytes);
  const { content } = namespaceOf(scope);
  const old = content.get(digest);
  scope.state.blobs.set(digest, bytes);
  content.set(digest, {
    digest,
    size: bytes.length,
    createdAt: old?.createdAt ?? new Date(),
    updatedAt: new Date(),
    labels: mergeLabels(old?.labels ?? {}, labels),
  });
  keepByLease(scope, { id: digest, type: 'content' });
  return digest;
}

// What was read before the source broke stays for the next write of the ref.
async function readAll(scope: FakeScope, ref: string, source: ContentSource): Promise<Uint8Array> {
  const key = `${scope.namespace} ${ref}`;
  let bytes: Uint8Array = scope.state.partialWrites.get(key) ?? new Uint8Array();
  const isResumable = typeof source === 'function';
  let toSkip = isResumable ? 0 : bytes.length;
  for await (const chunk of isResumable ? await source(bytes.length) : source) {
    const part = chunk.subarray(Math.min(toSkip, chunk.length));
    toSkip -= chunk.length - part.length;
    bytes = Buffer.concat([bytes, part]);
    scope.state.partialWrites.set(key, bytes);
  }
  scope.state.partialWrites.delete(key);
  return bytes;
}

function verify({ size, digest }: NewContent, bytes: Uint8Array): void {
  if (size > 0 && bytes.length !== size) {
    throw new EngineError(
      'Conflict',
      `unexpected commit size ${bytes.length}, expected ${size}: failed precondition`,
    );
  }
  if (digest !== '' && sha256(bytes) !== digest) {
    throw new EngineError(
      'Conflict',
      `unexpected commit digest ${sha256(bytes)}, expected ${digest}: failed precondition`,
    );
  }
}

/** Blobs in memory, with their real digests. */
export function createFakeContent(scope: FakeScope): Content {
  const { content } = namespaceOf(scope);
  const { blobs, partialWrites } = scope.state;
  const statuses = (): Awaited<ReturnType<Content['statuses']>> =>
    [...partialWrites]
      .filter(([key]) => key.startsWith(`${scope.namespace} `))
      .map(([key, bytes]) => {
        const ref = key.slice(scope.namespace.length + 1);
        return {
          ref,
          offset: bytes.length,
          total: 0,
          expected: '',
          startedAt: new Date(),
          updatedAt: new Date(),
        };
      });
  return {
    info: async (digest) => found(content.get(digest), `content ${digest}`),
    list: async (filters = []) =>
      [...content.values()].filter(({ digest, labels }) =>
        matches(filters, { digest, ...labelFields(labels) }),
      ),
    async delete(digest) {
      found(content.get(digest), `content ${digest}`);
      content.delete(digest);
    },
    async updateLabels(digest, labels) {
      const old = found(content.get(digest), `content ${digest}`);
      const updated = { ...old, labels: mergeLabels(old.labels, labels), updatedAt: new Date() };
      content.set(digest, updated);
      return updated;
    },
    async *read(digest, { offset = 0, size = 0 } = {}) {
      found(content.get(digest), `content ${digest}`);
      const bytes = found(blobs.get(digest), `content ${digest}`);
      const wanted = bytes.subarray(offset, size > 0 ? offset + size : undefined);
      for (let start = 0; start < wanted.length; start += 1 << 20)
        yield wanted.subarray(start, start + (1 << 20));
    },
    async write(newContent, source, signal) {
      if (signal?.aborted) throw new EngineError('Cancelled', 'cancelled', { cause: signal.reason });
      const shared = blobs.get(newContent.digest);
      const bytes = shared ?? (await readAll(scope, newContent.ref, source));
      verify(newContent, bytes);
      const shown = shared === undefined ? newContent.shownLabels : {};
      const digest = addBlob(scope, bytes, { ...newContent.labels, ...shown });
      return { digest, size: bytes.length, alreadyPresent: shared !== undefined };
    },
    status: async (ref) =>
      found(
        statuses().find((status) => status.ref === ref),
        `ingest "${ref}"`,
      ),
    statuses: async () => statuses(),
    async abort(ref) {
      const key = `${scope.namespace} ${ref}`;
      found(partialWrites.get(key), `ingest "${ref}"`);
      partialWrites.delete(key);
    },
  };
}

/** Layers as blobs only: nothing is unpacked, but diff ids are true. */
export function createFakeDiff(scope: FakeScope): Diff {
  return {
    async apply({ digest }) {
      found(namespaceOf(scope).content.get(digest), `content ${digest}`);
      const bytes = found(scope.state.blobs.get(digest), `content ${digest}`);
      const tar = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
      const mediaType = 'application/vnd.oci.image.layer.v1.tar';
      return { mediaType, digest: sha256(tar), size: tar.length, annotations: {} };
    },
    async diff({ mediaType, labels = {} }) {
      const emptyTar = new Uint8Array(1024);
      return { mediaType, digest: addBlob(scope, emptyTar, labels), size: emptyTar.length, annotations: {} };
    },
  };
}

/** Snapshots as records, with mounts that look like overlayfs's. */
export function createFakeSnapshots(scope: FakeScope): Snapshots {
  const snapshotter = 'overlayfs';
  const { snapshots } = namespaceOf(scope);
  const idOf = (key: string): string => `${snapshotter}/${key}`;
  const get = (key: string): SnapshotInfo => found(snapshots.get(idOf(key)), `snapshot ${key}`);
  const make = (kind: 'active' | 'view'): Snapshots['prepare'] => {
    return async ({ key, parent, labels = {} }) => {
      if (parent !== '' && get(parent).kind !== 'committed') {
        throw new EngineError(
          'InvalidArgument',
          `parent "${parent}" is not committed snapshot: invalid argument`,
        );
      }
      assertFree(snapshots.has(idOf(key)), `snapshot ${key}`);
      snapshots.set(idOf(key), {
        name: key,
        parent,
        kind,
        labels,
        createdAt: new Date(),
        updatedAt: new Date(),
      });
      keepByLease(scope, { id: key, type: `snapshots/${snapshotter}` });
      return mountsOf(key, kind);
    };
  };
  return {
    snapshotter,
    prepare: make('active'),
    view: make('view'),
    async mounts(key) {
      return mountsOf(key, get(key).kind);
    },
    async commit({ name, key, labels = {} }) {
      const old = get(key);
      if (old.kind !== 'active')
        throw new EngineError('Conflict', `snapshot ${key} is not active: failed precondition`);
      assertFree(snapshots.has(idOf(name)), `snapshot ${name}`);
      snapshots.delete(idOf(key));
      snapshots.set(idOf(name), { ...old, name, kind: 'committed', labels, updatedAt: new Date() });
      keepByLease(scope, { id: name, type: `snapshots/${snapshotter}` });
    },
    stat: async (key) => get(key),
    list: async (filters = []) =>
      [...snapshots]
        .filter(([id]) => id.startsWith(`${snapshotter}/`))
        .map(([, info]) => info)
        .filter(({ name, parent, labels }) => matches(filters, { name, parent, ...labelFields(labels) })),
    async remove(key) {
      get(key);
      if ([...snapshots.values()].some(({ parent }) => parent === key)) {
        throw new EngineError('Conflict', `cannot remove snapshot with child: failed precondition`);
      }
      snapshots.delete(idOf(key));
    },
    async usage(key) {
      get(key);
      return { sizeBytes: 4096, inodes: 1 };
    },
    async updateLabels(key, labels) {
      const old = get(key);
      const updated = { ...old, labels: mergeLabels(old.labels, labels), updatedAt: new Date() };
      snapshots.set(idOf(key), updated);
      return updated;
    },
  };
}

function mountsOf(key: string, kind: SnapshotInfo['kind']): readonly Mount[] {
  const access = kind === 'view' ? 'ro' : 'rw';
  return [
    {
      type: 'bind',
      source: `/fake/snapshots/${encodeURIComponent(key)}/fs`,
      target: '',
      options: [access, 'rbind'],
    },
  ];
}
