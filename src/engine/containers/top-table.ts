import { EngineError } from '../../errors.ts';

/** What ps printed, cut into fields. */
export interface TopTable {
  readonly titles: readonly string[];
  readonly rows: readonly { readonly pid: number; readonly fields: readonly string[] }[];
}

const ASCII_BLANKS = /[\t\n\v\f\r ]+/;

function fieldsOf(line: string): readonly string[] {
  return line.split(ASCII_BLANKS).filter((field) => field !== '');
}

/**
 * Cuts the output of ps into rows of processes with one of these pids; the last field takes what is left of a line.
 * A thread's line without a pid (`-`) belongs to the process above it. Internal in dockerd's words without a PID column.
 */
export function parseTopTable(output: string, pids: ReadonlySet<number>): TopTable {
  const [head = '', ...lines] = output.split('\n');
  const titles = fieldsOf(head);
  const pidIndex = titles.indexOf('PID');
  if (pidIndex === -1) throw new EngineError('Internal', "Couldn't find PID field in ps output");
  const rows: { readonly pid: number; readonly fields: readonly string[] }[] = [];
  let current: number | undefined;
  for (const line of lines) {
    const fields = fieldsOf(line);
    const text = fields[pidIndex];
    if (text === undefined) continue;
    if (text !== '-') current = pidOf(text, pids);
    if (current !== undefined) rows.push({ pid: current, fields: mergeLast(fields, titles.length) });
  }
  return { titles, rows };
}

function pidOf(text: string, pids: ReadonlySet<number>): number | undefined {
  if (!/^\d+$/.test(text))
    throw new EngineError(
      'Internal',
      `Unexpected pid '${text}': strconv.Atoi: parsing "${text}": invalid syntax`,
    );
  return pids.has(Number(text)) ? Number(text) : undefined;
}

function mergeLast(fields: readonly string[], count: number): readonly string[] {
  return [...fields.slice(0, count - 1), fields.slice(count - 1).join(' ')];
}
