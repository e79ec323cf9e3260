import { readFile } from 'node:fs/promises';

import { CAPABILITY_NAMES } from '../../policy/capabilities.ts';

const SOURCES = new Map([
  ['capeff', { title: 'EFFECTIVE CAPS', field: 'CapEff' }],
  ['capprm', { title: 'PERMITTED CAPS', field: 'CapPrm' }],
  ['capinh', { title: 'INHERITED CAPS', field: 'CapInh' }],
  ['capbnd', { title: 'BOUNDING CAPS', field: 'CapBnd' }],
  ['capamb', { title: 'AMBIENT CAPS', field: 'CapAmb' }],
  ['seccomp', { title: 'SECCOMP', field: 'Seccomp' }],
]);
const SECCOMP_MODES = ['disabled', 'strict', 'filter'];

/** True for the columns of podman's top that ps does not have: what a process may do, read from /proc. */
export function isProcColumn(name: string): boolean {
  return SOURCES.has(name);
}

/** The column's title, as podman shows it. */
export function titleOfProcColumn(name: string): string {
  return SOURCES.get(name)?.title ?? '';
}

/** Values of these columns for a process, empty where it has ended; `lastCap` is the kernel's highest capability. */
export async function readProcColumns(
  pid: number,
  columns: readonly { readonly name: string }[],
  lastCap: number,
): Promise<readonly string[]> {
  if (columns.length === 0) return [];
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return columns.map(({ name }) => {
    const field = SOURCES.get(name)?.field ?? '';
    const value = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
    if (value === undefined) return '';
    return name === 'seccomp'
      ? (SECCOMP_MODES[Number(value)] ?? value)
      : describeCapabilities(value, lastCap);
  });
}

/** A mask of capabilities in hex as podman words it: `full`, `none`, or the names without their prefix. */
export function describeCapabilities(hexMask: string, lastCap: number): string {
  const mask = BigInt(`0x${hexMask}`);
  const numbers = Array.from({ length: lastCap + 1 }, (_, number) => number).filter(
    (number) => ((mask >> BigInt(number)) & 1n) === 1n,
  );
  if (numbers.length === 0) return 'none';
  if (numbers.length === lastCap + 1) return 'full';
  return numbers.map((number) => (CAPABILITY_NAMES[number] ?? `CAP_${number}`).replace('CAP_', '')).join(',');
}
