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
const SIZED = /^(size|nr_blocks)=([0-9]+)([kKmMgG%]?)$/;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 2 ** 10],
  ['m', 2 ** 20],
  ['g', 2 ** 30],
]);
const BLOCK_BYTES = 4096;

/** Refuses every comma-separated option that is not known to be harmless; devices are never allowed. */
export function checkTmpfsOptions(options: string): readonly Finding[] {
  const words = options === '' ? [] : options.split(',');
  const unknown = words.find((word) => !FLAGS.has(word) && !NUMBERED.test(word));
  return unknown === undefined ? [] : [bad(`invalid tmpfs option ${quote(unknown)}`)];
}

/**
 * The options with a size above the limit, or without any (0 is none to the kernel), cut down to it; a percentage is one of
 * the limit, for the kernel's would be one of the machine.
 */
export function cutTmpfsSize(options: string, maxBytes: number): string {
  return options
    .split(',')
    .map((word) => cutWord(word, maxBytes))
    .join(',');
}

function cutWord(word: string, maxBytes: number): string {
  const [, name, number, unit = ''] = SIZED.exec(word) ?? [];
  if (name === undefined) return word;
  const max = name === 'size' ? maxBytes : Math.floor(maxBytes / BLOCK_BYTES);
  if (unit === '%') return `${name}=${Math.floor((Math.min(Number(number), 100) / 100) * max) || max}`;
  const asked = Number(number) * (UNITS.get(unit.toLowerCase()) ?? 1);
  return asked === 0 || asked > max ? `${name}=${max}` : word;
}
