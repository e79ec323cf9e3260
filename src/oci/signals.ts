import { ShapeError } from '../errors.ts';

const NAMES = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
] as const;
const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29 };
const REAL_TIME_MIN = 34;
const REAL_TIME_MAX = 64;

/** The number of `9`, `KILL`, `sigkill` or `RTMIN+3` on Linux; InvalidArgument in dockerd's words otherwise. */
export function parseSignal(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : signalByName(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > REAL_TIME_MAX)
    throw new ShapeError(`invalid signal: ${text.slice(0, 64)}`);
  return number;
}

function signalByName(name: string): number | undefined {
  const index = NAMES.findIndex((known) => known === name);
  if (index >= 0) return index + 1;
  if (Object.hasOwn(ALIASES, name)) return ALIASES[name];
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (!realTime) return undefined;
  const [, base, sign, offset = '0'] = realTime;
  if ((base === 'MIN' && sign === '-') || (base === 'MAX' && sign === '+')) return undefined;
  const result = base === 'MIN' ? REAL_TIME_MIN + Number(offset) : REAL_TIME_MAX - Number(offset);
  return result >= REAL_TIME_MIN && result <= REAL_TIME_MAX ? result : undefined;
}
