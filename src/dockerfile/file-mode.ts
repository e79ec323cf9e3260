/** The permission bits, set-id and sticky ones included, that a file comes to have: of those that it has and its kind. */
export type FileMode = (current: number, isDirectory: boolean) => number;

const OCTAL = /^0*[0-7]{1,4}$/;
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;
const CHANGE = /([-+=])([rwxXst]+|[ugo])?/g;
const ALL = 0o777;
const READ = 0o444;
const WRITE = 0o222;
const EXECUTE = 0o111;
const SETUID = 0o4000;
const SETGID = 0o2000;
const STICKY = 0o1000;
const WHO: ReadonlyMap<string, { readonly mask: number; readonly shift: number }> = new Map([
  ['u', { mask: 0o700, shift: 6 }],
  ['g', { mask: 0o070, shift: 3 }],
  ['o', { mask: 0o007, shift: 0 }],
]);

/** What `--chmod` asks for: an octal number, or words as chmod(1) takes them (`u=rwX,go-w`); undefined for neither. */
export function parseFileMode(text: string): FileMode | undefined {
  if (OCTAL.test(text)) return () => Number.parseInt(text, 8);
  const clauses = text.split(',').map(parseClause);
  if (!clauses.every((clause) => clause !== undefined)) return undefined;
  return (current, isDirectory) => clauses.reduce((mode, clause) => clause(mode, isDirectory), current);
}

function parseClause(text: string): FileMode | undefined {
  const [, who = '', changes = ''] = CLAUSE.exec(text) ?? [];
  if (changes === '') return undefined;
  const names = who === '' || who.includes('a') ? 'ugo' : who;
  const mask = Array.from(names).reduce((sum, one) => sum | (WHO.get(one)?.mask ?? 0), 0);
  const special = (names.includes('u') ? SETUID : 0) | (names.includes('g') ? SETGID : 0);
  const steps = [...changes.matchAll(CHANGE)].map(([, operator = '', words = '']) => ({ operator, words }));
  return (current, isDirectory) =>
    steps.reduce((mode, { operator, words }) => {
      const bits = bitsOf(words, mode, isDirectory) & (mask | special | STICKY);
      if (operator === '+') return mode | bits;
      if (operator === '-') return mode & ~bits;
      // As chmod(1): the set-id bits of a directory go only where they are named.
      return (mode & ~(mask | (isDirectory ? 0 : special))) | bits;
    }, current);
}

/** The bits that words name, for everybody. */
function bitsOf(words: string, mode: number, isDirectory: boolean): number {
  const copied = WHO.get(words);
  if (copied) {
    const bits = (mode & copied.mask) >> copied.shift;
    return (bits << 6) | (bits << 3) | bits;
  }
  const isExecutable = isDirectory || (mode & EXECUTE) !== 0;
  const values: Readonly<Record<string, number>> = {
    r: READ,
    w: WRITE,
    x: EXECUTE,
    X: isExecutable ? EXECUTE : 0,
    s: SETUID | SETGID,
    t: STICKY,
  };
  return (
    Array.from(words).reduce((sum, word) => sum | (values[word] ?? 0), 0) & (ALL | SETUID | SETGID | STICKY)
  );
}
