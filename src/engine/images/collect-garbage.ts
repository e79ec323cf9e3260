import type { Containerd } from '../../containerd/types.ts';
import { createRandomId } from '../../lib/random-id.ts';

/** Has containerd remove what nothing refers to, files included, and waits for it. */
export async function collectGarbage(containerd: Pick<Containerd, 'leases'>): Promise<void> {
  // The deletion of a lease is the one request that containerd answers only after a collection.
  const id = `berth-collect-${createRandomId()}`;
  await containerd.leases.create({ id, labels: {} });
  await containerd.leases.delete(id, { sync: true });
}
