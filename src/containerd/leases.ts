import { isErrorKind } from '../errors.ts';
import type { CallScope, Channel } from './channel.ts';
import { required, toDate } from './convert.ts';
import type { Lease as RawLease } from './generated/leases.ts';
import type { Lease, Leases } from './types-metadata.ts';

const leaseExpiryLabel = 'containerd.io/gc.expire';

// containerd's garbage collector reads RFC 3339 in whole seconds.
function toExpiryLabel(expiresAt: Date | undefined): Readonly<Record<string, string>> {
  return expiresAt ? { [leaseExpiryLabel]: expiresAt.toISOString().replace(/\.\d+Z$/, 'Z') } : {};
}

/** Leases service. */
export function createLeases(channel: Channel, scope: CallScope): Leases {
  const caller = channel.caller('leases', scope);
  return {
    async create({ id, labels, expiresAt }) {
      const request = { id, labels: { ...labels, ...toExpiryLabel(expiresAt) } };
      return toLease(required((await caller.unary('Create', request)).lease, 'a lease'));
    },
    async delete(id, options) {
      try {
        await caller.unary('Delete', { id, sync: options?.sync ?? false });
      } catch (error) {
        // Releases differ in whether this is an error.
        if (!isErrorKind(error, 'NotFound')) throw error;
      }
    },
    async list(filters = []) {
      return (await caller.unary('List', { filters })).leases.map(toLease);
    },
    async addResource(id, resource) {
      await caller.unary('AddResource', { id, resource });
    },
    async deleteResource(id, resource) {
      await caller.unary('DeleteResource', { id, resource });
    },
    async listResources(id) {
      const { resources } = await caller.unary('ListResources', { id });
      return resources.map((resource) => ({ id: resource.id, type: resource.type }));
    },
  };
}

function toLease({ id, labels, createdAt }: RawLease): Lease {
  return { id, labels, createdAt: toDate(createdAt) };
}
