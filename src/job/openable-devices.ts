import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { listHostDevices, type HostDevice } from '../host/devices.ts';

/** Disks, and devices that many machines have and that nothing happens to when they are opened. */
const HARMLESS = [
  /^\/dev\/(vd|sd|nvme|loop)[0-9a-z]*$/,
  /^\/dev\/(net\/tun|fuse|kvm|loop-control|vhost-net)$/,
];
const MOST = 3;

/** Some devices that the machine's root can open and no container may, of both kinds where there are both. */
export async function findOpenableDevices(): Promise<readonly HostDevice[]> {
  const devices = (await listHostDevices()).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const found: HostDevice[] = [];
  for (const pattern of HARMLESS) {
    const most = found.length + MOST;
    for (const device of devices) {
      if (found.length === most) break;
      if (pattern.test(device.path) && (await canOpen(device.path))) found.push(device);
    }
  }
  return found;
}

async function canOpen(path: string): Promise<boolean> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await file.close();
    return true;
  } catch {
    return false;
  }
}
