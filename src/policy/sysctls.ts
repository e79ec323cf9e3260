import type { HostConfig } from '../wire/host-config.ts';
import { bad, deny, quote, type Finding } from './rule.ts';

// Lower-case words joined by dots, as sysctl(8) writes them: a slash is the same separator to the kernel and would name another file.
const NAME = /^[a-z0-9_-]+(\.[A-Za-z0-9_:-]+)+$/;
const IPC_NAMES: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Refuses kernel parameters that are not of a namespace that the container has for itself. */
export function checkSysctls(
  sysctls: Readonly<Record<string, string>>,
  host: Pick<HostConfig, 'NetworkMode' | 'IpcMode'>,
): readonly Finding[] {
  return Object.entries(sysctls).flatMap(([name, value]) => checkSysctl(name, value, host));
}

function checkSysctl(
  name: string,
  value: string,
  host: Pick<HostConfig, 'NetworkMode' | 'IpcMode'>,
): readonly Finding[] {
  if (!NAME.test(name) || name.length > 128) {
    return [bad(`sysctl ${quote(name)} is not a valid name`)];
  }
  if (/[\n\r]/.test(value) || value.length > 1024) {
    return [bad(`sysctl ${quote(name)} has an invalid value`)];
  }
  return isOwn(name, host) ? [] : [deny(`${name}=${value}`)];
}

function isOwn(name: string, host: Pick<HostConfig, 'NetworkMode' | 'IpcMode'>): boolean {
  if (name.startsWith('net.')) {
    return host.NetworkMode !== 'host' && !host.NetworkMode.startsWith('container:');
  }
  return (
    (name.startsWith('fs.mqueue.') || IPC_NAMES.has(name)) &&
    ['', 'private', 'shareable', 'none'].includes(host.IpcMode)
  );
}
