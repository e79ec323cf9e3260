import { EngineError, ShapeError } from '../../errors.ts';
import { isProcColumn } from './top-proc-columns.ts';

/** What to run for a client's `ps_args`; which processes are shown is never the client's choice. */
export interface TopOptions {
  /** Format options for ps, without any that selects processes. */
  readonly psOptions: readonly string[];
  /** Columns that ps does not know, with their place among the titles. */
  readonly procColumns: readonly { readonly name: string; readonly index: number }[];
}

const DEFAULT_PS_ARGS = '-ef';

// Options that select processes are dropped where they only widen the answer, for it is cut down to the container
// anyway; whatever else is not about columns is refused.
const UNIX_SELECTIONS = new Set('Aade');
const UNIX_FORMATS = new Set('fFjlLmMyZHwTc');
const BSD_SELECTIONS = new Set('ax');
const BSD_FORMATS = new Set('HmfjluvscewnSZ');
const MAX_ARGS_LENGTH = 1024;

// No column that tells of the host: cgroup paths, systemd units, sessions, addresses of the kernel.
const COLUMNS = new Set(
  (
    '%cpu %mem args blocked bsdstart bsdtime c caught class cls cmd comm command cp cpuid cputime cputimes drs egid ' +
    'egroup etime etimes euid euser f fgid fgroup flag flags fname fsgid fsgroup fsuid fsuser fuid fuser gid group ' +
    'ignored intpri label lstart lwp maj_flt majflt min_flt minflt ni nice nlwp numa opri pagein pcpu pending pgid ' +
    'pgrp pid pmem policy ppid pri priority psr pss rgid rgroup rss rssize rsz rtprio ruid ruser s sched sgid sgroup ' +
    'sid sig sigcatch sigignore sigmask size spid start start_time stat state stime suid supgid supgrp suser svgid ' +
    'svgroup svuid svuser sz tgid thcount tid time times tname tpgid trs tt tty ucmd ucomm uid uname user uss vsize vsz'
  ).split(' '),
);

/** Reads `ps_args` as dockerd does (split at spaces), allowing what formats the answer; InvalidArgument for the rest. */
export function parseTopOptions(psArgs: string): TopOptions {
  if (psArgs.length > MAX_ARGS_LENGTH) throw new ShapeError('ps_args are too long');
  refuseFakePidTitles(psArgs);
  const words = (psArgs.trim() || DEFAULT_PS_ARGS).split(/ +/);
  const flags: string[] = [];
  const columns: string[] = [];
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const { flag, list } = parseWord(word, () => words.shift());
    if (flag !== '') flags.push(flag);
    if (list !== undefined) columns.push(...checkColumns(list));
  }
  const psColumns = columns.filter((column) => !isProcColumn(column));
  if (columns.length > 0 && psColumns.length === 0)
    throw new EngineError('Internal', "Couldn't find PID field in ps output");
  return {
    psOptions: [...flags, ...(columns.length > 0 ? ['-o', psColumns.join(',')] : [])],
    procColumns: columns.flatMap((name, index) => (isProcColumn(name) ? [{ name, index }] : [])),
  };
}

// dockerd finds the processes by the column titled PID, so no other column may be titled so.
function refuseFakePidTitles(psArgs: string): void {
  const fake = /([^\s,]*)=\s*(PID\S*)/.exec(psArgs);
  if (fake) throw new ShapeError(`specifying "${fake[1] ?? ''}=${fake[2] ?? ''}" is not allowed`);
}

interface ParsedWord {
  readonly flag: string;
  readonly list: string | undefined;
}

function parseWord(word: string, nextWord: () => string | undefined): ParsedWord {
  if (word === '--forest') return { flag: word, list: undefined };
  const long = /^--format(?:=(.*))?$/.exec(word);
  if (long) return { flag: '', list: long[1] ?? nextWord() ?? '' };
  const dash = /^-(?=.)/.test(word) ? '-' : '';
  const [letters = '', ...rest] = word.slice(dash.length).split('o');
  const flags = keepFormats(letters, dash === '-');
  if (flags === undefined) throw new ShapeError(`ps: option ${JSON.stringify(word)} is not allowed`);
  return { flag: flags === '' ? '' : `${dash}${flags}`, list: readList(rest, nextWord) };
}

// What follows the letter o, in the same word or as the next one; undefined without an o.
function readList(rest: readonly string[], nextWord: () => string | undefined): string | undefined {
  if (rest.length === 0) return undefined;
  return rest.join('o') || (nextWord() ?? '');
}

function keepFormats(letters: string, isUnix: boolean): string | undefined {
  const [formats, selections] = isUnix ? [UNIX_FORMATS, UNIX_SELECTIONS] : [BSD_FORMATS, BSD_SELECTIONS];
  const kept = Array.from(letters).filter((letter) => !selections.has(letter));
  return kept.every((letter) => formats.has(letter)) ? kept.join('') : undefined;
}

function checkColumns(list: string): readonly string[] {
  return list.split(',').map((column) => {
    const [name = '', width] = column.split(':', 2);
    const isKnown = COLUMNS.has(name) || isProcColumn(name);
    if (!isKnown || (width !== undefined && !/^\d{1,3}$/.test(width)))
      throw new ShapeError(`ps: error: unknown user-defined format specifier ${JSON.stringify(column)}`);
    return isProcColumn(name) ? name : column;
  });
}
