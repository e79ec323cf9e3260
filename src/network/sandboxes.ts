import { EngineError } from '../errors.ts';
import { createBridgePlaces, createNetns, type BridgePlace, type NetnsOptions } from './bridge-places.ts';
import { parseMacAddress } from './mac-address.ts';
import { sandboxPath } from './names.ts';
import { holdsNetns, removeNetnsFile } from './netns-file.ts';

/** The network namespaces of a job's containers. */
export interface Sandboxes {
  /** A namespace with nothing but loopback; answers its path. */
  openEmpty(containerId: string): Promise<string>;
  /** A namespace on the default bridge; an empty MAC stands for the address's own. */
  openOnBridge(containerId: string, macAddress: string): Promise<BridgePlace>;
  /** Takes over what an earlier process opened (with its address, if it has one); undefined when it is gone. */
  adopt(containerId: string, address: string | undefined): Promise<string | undefined>;
  /** Its address on the bridge; undefined where it is not on it. */
  addressOf(containerId: string): string | undefined;
  close(containerId: string): Promise<void>;
  /** Waits for what is being made; opens nothing afterwards. */
  stop(): Promise<void>;
}

/** The sandboxes of a job, none open: addresses are known in this process only, adoption brings them back. */
export function createSandboxes(options: NetnsOptions): Sandboxes {
  const { libc, runDir } = options;
  const places = createBridgePlaces(options);
  const addressOf = new Map<string, string>();
  const opening = new Set<Promise<unknown>>();
  let isStopped = false;

  const track = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isStopped) throw new EngineError('Unavailable', 'the network of the job is closing');
    const running = work();
    opening.add(running);
    try {
      return await running;
    } finally {
      opening.delete(running);
    }
  };
  // What a crash left of this container's last run is in nobody's use.
  const freePath = async (containerId: string): Promise<string> => {
    const path = sandboxPath(runDir, containerId);
    await removeNetnsFile(libc, path);
    return path;
  };
  return {
    openEmpty: (containerId) =>
      track(async () => {
        const path = await freePath(containerId);
        await createNetns(options, path, ['link set lo up']);
        return path;
      }),
    openOnBridge: (containerId, macAddress) =>
      track(async () => {
        const mac = macAddress && parseMacAddress(macAddress);
        const place = await places.open(await freePath(containerId), mac);
        addressOf.set(containerId, place.address);
        return place;
      }),
    async adopt(containerId, address) {
      const path = sandboxPath(runDir, containerId);
      if (!(await holdsNetns(path))) return undefined;
      if (address === undefined) return path;
      if (!places.claimAddress(address)) return undefined;
      addressOf.set(containerId, address);
      return path;
    },
    addressOf: (containerId) => addressOf.get(containerId),
    async close(containerId) {
      await removeNetnsFile(libc, sandboxPath(runDir, containerId));
      const address = addressOf.get(containerId);
      if (address !== undefined) places.releaseAddress(address);
      addressOf.delete(containerId);
    },
    async stop() {
      isStopped = true;
      await Promise.allSettled(opening);
      await places.stop();
    },
  };
}
