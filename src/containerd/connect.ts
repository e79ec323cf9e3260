import { openChannel, type CallScope, type Channel } from './channel.ts';
import { createContainers } from './containers.ts';
import { createContent } from './content.ts';
import { createDiff } from './diff.ts';
import { createEvents } from './events.ts';
import { createImages } from './images.ts';
import { createIntrospection, createVersion } from './introspection.ts';
import { createLeases } from './leases.ts';
import { createNamespaces } from './namespaces.ts';
import { createSnapshots } from './snapshots.ts';
import { createTasks } from './tasks.ts';
import type { Containerd } from './types.ts';

/**
 * containerd at a socket's path (or `unix://` address), seen from a namespace; nothing is sent before the first call. Paths
 * below hidden directories are left out of what it says of its failures.
 */
export function connectContainerd(
  address: string,
  namespace: string,
  hiddenDirectories: readonly string[] = [],
): Containerd {
  return createView(openChannel(address, hiddenDirectories), { namespace, leaseId: undefined });
}

function createView(channel: Channel, scope: CallScope): Containerd {
  const version = createVersion(channel, scope);
  return {
    address: channel.address,
    namespace: scope.namespace,
    leaseId: scope.leaseId,
    containers: createContainers(channel, scope),
    tasks: createTasks(channel, scope),
    content: createContent(channel, scope),
    diff: createDiff(channel, scope),
    images: createImages(channel, scope),
    leases: createLeases(channel, scope),
    namespaces: createNamespaces(channel, scope),
    events: createEvents(channel, scope),
    introspection: createIntrospection(channel, scope),
    version,
    snapshots: (snapshotter) => createSnapshots(channel, scope, snapshotter),
    withLease: (leaseId) => createView(channel, { ...scope, leaseId }),
    inNamespace: (namespace) => createView(channel, { namespace, leaseId: undefined }),
    async ping() {
      await version.version();
    },
    close: () => channel.close(),
  };
}
