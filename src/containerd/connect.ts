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

/** containerd's own snapshotter that every kernel of today can serve. */
const DEFAULT_SNAPSHOTTER = 'overlayfs';

/** How containerd is spoken to. */
export interface ConnectOptions {
  /** Paths below these are left out of what it says of its failures; default none. */
  readonly hiddenDirectories?: readonly string[];
  /** What layers and files of containers live in. */
  readonly snapshotter?: string;
}

interface View extends CallScope {
  readonly snapshotter: string;
}

/** containerd at a socket's path (or `unix://` address), seen from a namespace; nothing is sent before the first call. */
export function connectContainerd(
  address: string,
  namespace: string,
  { hiddenDirectories = [], snapshotter = DEFAULT_SNAPSHOTTER }: ConnectOptions = {},
): Containerd {
  return createView(openChannel(address, hiddenDirectories), { namespace, leaseId: undefined, snapshotter });
}

function createView(channel: Channel, scope: View): Containerd {
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
    snapshots: createSnapshots(channel, scope, scope.snapshotter),
    withLease: (leaseId) => createView(channel, { ...scope, leaseId }),
    inNamespace: (namespace) => createView(channel, { ...scope, namespace, leaseId: undefined }),
    async ping() {
      await version.version();
    },
    close: () => channel.close(),
  };
}
