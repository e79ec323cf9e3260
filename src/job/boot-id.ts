import { readFile } from 'node:fs/promises';

/** Changes with each boot of the machine. */
export function readBootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8');
}
