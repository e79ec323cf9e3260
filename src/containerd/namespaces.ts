import { EngineError } from '../errors.ts';
import type { CallScope, Channel } from './channel.ts';
import { labelPaths, required } from './convert.ts';
import type { ContainerdNamespace, Namespaces } from './types-metadata.ts';

/** Namespaces service. */
export function createNamespaces(channel: Channel, scope: CallScope): Namespaces {
  const caller = channel.caller('namespaces', scope);
  return {
    async get(name) {
      // The Get call of 1.6 answers for namespaces that are not there.
      const namespace = (await caller.unary('List', {})).namespaces.find((one) => one.name === name);
      if (!namespace) throw new EngineError('NotFound', `namespace "${name}": not found`);
      return toNamespace(namespace);
    },
    async list() {
      return (await caller.unary('List', {})).namespaces.map(toNamespace);
    },
    async create(namespace) {
      return toNamespace((await caller.unary('Create', { namespace })).namespace);
    },
    async updateLabels(name, labels) {
      const request = { namespace: { name, labels }, updateMask: labelPaths(labels) };
      return toNamespace((await caller.unary('Update', request)).namespace);
    },
    async delete(name) {
      await caller.unary('Delete', { name });
    },
  };
}

function toNamespace(raw: ContainerdNamespace | null): ContainerdNamespace {
  const { name, labels } = required(raw, 'a namespace');
  return { name, labels };
}
