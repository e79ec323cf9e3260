import { existsSync } from 'node:fs';
import { connectContainerd } from '../containerd/connect.ts';
import { acquireEmbedded } from '../containerd/embedded.ts';
import type { Containerd } from '../containerd/types.ts';
import type { Settings } from '../config/schema.ts';
import { EngineError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { HostTools } from './remove-traces.ts';

/** Where the distribution's containerd listens. */
const SYSTEM_ADDRESS = '/run/containerd/containerd.sock';

/** A job's containerd, and what the job owes it. */
export interface JobContainerd {
  readonly containerd: Containerd;
  /** True for berth's own. */
  readonly isEmbedded: boolean;
  /** Brings an embedded one back when it has died; nothing for one that is not ours. */
  revive(): Promise<void>;
  /** Lets go of it: an embedded one stops with its last user. */
  release(): Promise<void>;
}

/** Connects to the containerd that the settings name; Unavailable when a named one does not answer. */
export async function connectJobContainerd(
  settings: Settings,
  user: { readonly namespace: string; readonly log: Logger; readonly host: HostTools },
): Promise<JobContainerd> {
  const { root, runDir, snapshotter } = settings;
  const how = { hiddenDirectories: [root, runDir], snapshotter };
  const external = meantAddress(settings);
  if (external !== 'embedded') {
    const containerd = connectContainerd(external, user.namespace, how);
    try {
      await containerd.ping();
      return {
        containerd,
        isEmbedded: false,
        revive: () => Promise.resolve(),
        release: () => Promise.resolve(),
      };
    } catch (error) {
      containerd.close();
      // A socket that a removed daemon left behind is no reason to fail, unless the operator named it.
      if (settings.containerd !== undefined) throw unreachable(external, error);
    }
  }
  const { host } = user;
  const embedded = await acquireEmbedded({
    root: settings.root,
    log: user.log,
    libc: host.libc,
    processes: host.processes,
    mounts: host.mounts,
  });
  return {
    containerd: connectContainerd(embedded.address, user.namespace, how),
    isEmbedded: true,
    revive: () => embedded.ensureRunning(),
    release: () => embedded.release(),
  };
}

/** The address of the containerd that the settings mean, or `embedded`. */
export function meantAddress({ containerd }: Pick<Settings, 'containerd'>): string {
  return containerd ?? (existsSync(SYSTEM_ADDRESS) ? SYSTEM_ADDRESS : 'embedded');
}

function unreachable(address: string, cause: unknown): EngineError {
  return new EngineError('Unavailable', `no containerd answers at ${address}`, { cause });
}
