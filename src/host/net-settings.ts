import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

import { toEngineError } from './errors.ts';

const settings = '/proc/sys/net';

/** A setting below `/proc/sys/net` (`ipv4/ip_forward`) of the namespace this thread is in. */
export function readNetSetting(name: string): string {
  try {
    return readFileSync(`${settings}/${name}`, 'utf8').trim();
  } catch (error) {
    throw toEngineError(error, `cannot read the kernel's ${name}`);
  }
}

/** Changes a setting below `/proc/sys/net` of the namespace this thread is in. */
export function writeNetSetting(name: string, value: string): void {
  try {
    writeFileSync(`${settings}/${name}`, value);
  } catch (error) {
    throw toEngineError(error, `cannot set the kernel's ${name}`);
  }
}

/** What has IPv6 settings of its own in the namespace this thread is in: its links, `all` and `default`. */
export function listIpv6Links(): readonly string[] {
  try {
    return readdirSync(`${settings}/ipv6/conf`);
  } catch (error) {
    throw toEngineError(error, "cannot list the kernel's IPv6 settings");
  }
}
