import { IMAGE_NAMESPACE, openJobStore } from '../containerd/job-store.ts';
import type { Containerd } from '../containerd/types.ts';
import { ignoreAbsent } from '../engine/ignore-absent.ts';
import { isErrorKind, messageOf } from '../errors.ts';

/**
 * Takes out of the image namespace what a job has there: its containers' files, its image records and its leases. Layers
 * that nobody else refers to are collected with them; a namespace that is then empty goes too. Idempotent.
 */
export async function sweepStore(containerd: Containerd, slug: string): Promise<readonly string[]> {
  const images = containerd.inNamespace(IMAGE_NAMESPACE);
  const store = openJobStore(images, slug);
  const left: string[] = [];
  const attempt = async (what: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      if (!isErrorKind(error, 'NotFound')) left.push(`${what}: ${messageOf(error)}`);
    }
  };
  await attempt('image records', async () => {
    for (const { name } of await store.images.list()) await ignoreAbsent(store.images.delete(name));
  });
  await attempt('leases in the image namespace', async () => {
    const leases = await store.leases.list();
    for (const { id } of leases) await attempt(`files of lease ${id}`, () => removeFiles(store, id));
    for (const { id } of leases) await store.leases.delete(id, { sync: id === leases.at(-1)?.id });
  });
  await attempt('image namespace', () => removeIfEmpty(images));
  return left;
}

/** Committed layers are others' too: they are for the collector. */
async function removeFiles(store: ReturnType<typeof openJobStore>, leaseId: string): Promise<void> {
  const { snapshots } = store;
  const type = `snapshots/${snapshots.snapshotter}`;
  for (const resource of await store.leases.listResources(leaseId)) {
    if (resource.type !== type) continue;
    const { id } = resource;
    const { kind } = await snapshots.stat(id).catch(() => ({ kind: 'unknown' }));
    if (kind === 'active' || kind === 'view') await ignoreAbsent(snapshots.remove(id));
  }
}

async function removeIfEmpty(images: Containerd): Promise<void> {
  try {
    await images.namespaces.delete(IMAGE_NAMESPACE);
  } catch (error) {
    if (!isErrorKind(error, 'Conflict')) throw error;
  }
}
