import { readFileSync, writeFileSync } from 'node:fs';

import { toEngineError } from './errors.ts';

/** A setting of `/proc/sys/net/ipv4` of the namespace this thread is in. */
export function readNetSetting(name: string): string {
  try {
    return readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim();
  } catch (error) {
    throw toEngineError(error, `cannot read the kernel's ${name}`);
  }
}

/** Changes a setting of `/proc/sys/net/ipv4` of the namespace this thread is in. */
export function writeNetSetting(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
  } catch (error) {
    throw toEngineError(error, `cannot set the kernel's ${name}`);
  }
}
