import { bad, quote, type Finding } from './rule.ts';

const FLAGS: ReadonlySet<string> = new Set([
  'defaults',
  'ro',
  'rw',
  'exec',
  'noexec',
  'suid',
  'nosuid',
  'nodev',
  'atime',
  'noatime',
  'diratime',
  'nodiratime',
  'relatime',
  'norelatime',
  'strictatime',
  'nostrictatime',
  'sync',
  'async',
  'dirsync',
  'private',
  'rprivate',
]);
const NUMBERED =
  /^(?:size=[0-9]{1,15}[kKmMgG%]?|nr_(?:blocks|inodes)=[0-9]{1,15}[kKmMgG]?|mode=[0-7]{1,4}|[ug]id=[0-9]{1,10})$/;
const SIZE = /^size=([0-9]+)([kKmMgG%]?)$/;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
]);
const MAX_PERCENT = 100;

/** Refuses every comma-separated option that is not known to be harmless; devices are never allowed. */
export function checkTmpfsOptions(options: string): readonly Finding[] {
  const words = options === '' ? [] : options.split(',');
  const unknown = words.find((word) => !FLAGS.has(word) && !NUMBERED.test(word));
  return unknown === undefined ? [] : [bad(`invalid tmpfs option ${quote(unknown)}`)];
}

/** The options with a size above the limit cut down to it. */
export function cutTmpfsSize(options: string, maxBytes: number): string {
  return options
    .split(',')
    .map((word) => (isTooLarge(word, maxBytes) ? `size=${maxBytes}` : word))
    .join(',');
}

function isTooLarge(word: string, maxBytes: number): boolean {
  const [, number, unit = ''] = SIZE.exec(word) ?? [];
  if (number === undefined) {
    return false;
  }
  return unit === '%'
    ? Number(number) > MAX_PERCENT
    : Number(number) * (UNITS.get(unit.toLowerCase()) ?? 1) > maxBytes;
}
