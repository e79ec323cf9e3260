import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A device node of the host, as the runtime spec describes one. */
export interface HostDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** File systems of their own, or made anew for each container. */
const PASSED_OVER = new Set(['pts', 'shm', 'fd', 'mqueue', 'hugepages', 'console']);

/** Every device node below `directory`; links are not followed. What vanishes meanwhile is left out. */
export async function listHostDevices(directory = '/dev'): Promise<readonly HostDevice[]> {
  const found: HostDevice[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (PASSED_OVER.has(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await listHostDevices(path)));
    else if (entry.isCharacterDevice() || entry.isBlockDevice()) found.push(...(await describe(path)));
  }
  return found;
}

async function describe(path: string): Promise<readonly HostDevice[]> {
  const stats = await lstat(path).catch(() => undefined);
  if (!stats) return [];
  const { mode, uid, gid, rdev } = stats;
  const type = stats.isBlockDevice() ? 'b' : 'c';
  return [{ path, type, ...deviceNumbers(rdev), fileMode: mode & 0o7777, uid, gid }];
}

/** glibc's encoding of `dev_t`: both numbers are split over the 64 bits. */
function deviceNumbers(rdev: number): { readonly major: number; readonly minor: number } {
  const bits = BigInt(rdev);
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn & 0xffffffffn);
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
