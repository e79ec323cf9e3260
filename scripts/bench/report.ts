import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import type { Figure, Goal, Measured } from './row.ts';

/** One line of the table: medians, and whether the goal is met (undefined where there is none or nothing to compare with). */
export interface Line extends Figure {
  readonly rounds: number;
  readonly berth: number;
  readonly dockerd?: number;
  readonly floor?: number;
  readonly isMet?: boolean;
}

/** A whole run of the bench. */
export interface Report {
  readonly date: string;
  readonly machine: string;
  /** Load averages of 1 minute before and after. */
  readonly load: readonly [before: number, after: number];
  readonly lines: readonly Line[];
  readonly failures: readonly string[];
}

/** The middle value; the lower one of two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Condenses what was measured of one figure. */
export function toLine({ berth, dockerd, floor, ...figure }: Measured): Line {
  const line = {
    ...figure,
    rounds: berth.length,
    berth: median(berth),
    ...(dockerd.length > 0 ? { dockerd: median(dockerd) } : {}),
    ...(floor === undefined ? {} : { floor: median(floor) }),
  };
  const isMet = figure.goal && judge(figure.goal, line);
  return isMet === undefined ? line : { ...line, isMet };
}

/** Every bound that can be compared has to hold. */
function judge(
  goal: Goal,
  { berth, dockerd, floor }: Pick<Line, 'berth' | 'dockerd' | 'floor'>,
): boolean | undefined {
  const verdicts = [
    within(dockerd && berth / dockerd, goal.atLeast, goal.atMost),
    within(floor && berth / floor, goal.floorAtLeast, goal.floorAtMost),
    within(berth, undefined, goal.valueAtMost),
  ].filter((verdict) => verdict !== undefined);
  return verdicts.length === 0 ? undefined : verdicts.every(Boolean);
}

function within(value: number | undefined, least?: number, most?: number): boolean | undefined {
  if (value === undefined || (least === undefined && most === undefined)) return undefined;
  return value >= (least ?? -Infinity) && value <= (most ?? Infinity);
}

/** The report as Markdown. */
export function formatReport({ date, machine, load, lines, failures }: Report): string {
  const [before, after] = load.map((value) => value.toFixed(1));
  return [
    `${date.slice(0, 10)}, ${machine}; load ${before ?? ''} before and ${after ?? ''} after. Medians of one run, interleaved.`,
    '',
    '| | berth | dockerd | ratio | floor | goal | |',
    '|---|--:|--:|--:|--:|---|---|',
    ...lines.map(formatLine),
    ...failures.map((failure) => `\nFailed: ${failure}`),
    '',
  ].join('\n');
}

function formatLine({ name, unit, berth, dockerd, floor, goal, isMet }: Line): string {
  const ratio = dockerd === undefined ? '–' : `${digits(berth / dockerd)} ×`;
  const verdict = isMet === undefined ? '' : isMet ? 'met' : 'missed';
  const cells = [
    name,
    `${digits(berth)} ${unit}`,
    orDash(dockerd),
    ratio,
    orDash(floor),
    formatGoal(goal),
    verdict,
  ];
  return `| ${cells.join(' | ')} |`;
}

function orDash(value: number | undefined): string {
  return value === undefined ? '–' : digits(value);
}

/** Two to four significant digits, never an exponent. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 0.1
        ? value.toFixed(2)
        : value.toFixed(4);
}

function formatGoal(goal: Goal = {}): string {
  const { atMost, atLeast, floorAtMost, floorAtLeast, valueAtMost } = goal;
  const bound = (sign: string, value: number | undefined, of: string): string[] =>
    value === undefined ? [] : [`${sign} ${String(value)}${of}`];
  return [
    ...bound('≤', atMost, ' ×'),
    ...bound('≥', atLeast, ' ×'),
    ...bound('≤', floorAtMost, ' × floor'),
    ...bound('≥', floorAtLeast, ' × floor'),
    ...bound('≤', valueAtMost, ''),
  ].join(', ');
}

const MARKS = ['<!-- bench: begin -->', '<!-- bench: end -->'] as const;

/** Puts the report between the marks of a Markdown file. */
export async function writeInto(file: string, report: Report): Promise<void> {
  const text = await readFile(file, 'utf8');
  const [begin, end] = MARKS.map((mark) => text.indexOf(mark));
  if (begin === undefined || end === undefined || begin < 0 || end < begin)
    throw new Error(`${file} has no marks for the bench`);
  const written = `${text.slice(0, begin + MARKS[0].length)}\n\n${formatReport(report)}\n${text.slice(end)}`;
  await writeFile(file, await format(written, { ...(await resolveConfig(file)), filepath: file }));
}
