import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

interface Scorecard {
  readonly cases: Readonly<Record<string, number>>;
  readonly others: Readonly<Record<string, string>>;
}
interface Scripts {
  readonly listFiles: () => readonly string[];
  readonly readScorecard: () => Scorecard;
  readonly scoreCases: (
    scorecard: Scorecard,
    files: readonly string[],
    statuses: ReadonlyMap<string, readonly string[]>,
  ) => { readonly line: string; readonly faults: readonly string[] };
}

let scripts: Scripts;
beforeAll(async () => {
  const path = resolve(import.meta.dirname, '../../scripts/score-cases.mjs');
  scripts = (await import(pathToFileURL(path).href)) as Scripts;
});

const CARD: Scorecard = { cases: { 'a.test.ts': 2, 'b.test.ts': 1 }, others: { 'c.test.ts': 'none' } };
const FILES = ['a.test.ts', 'b.test.ts', 'c.test.ts'];

function score(a: readonly string[], b?: readonly string[], files = FILES): readonly string[] {
  const statuses = new Map([['a.test.ts', a], ...(b ? [['b.test.ts', b] as const] : [])]);
  const { line, faults } = scripts.scoreCases(CARD, files, statuses);
  return [line, ...faults];
}

test('all cases held, more than there have to be', () => {
  expect(score(['passed', 'passed', 'passed'], ['passed'])).toEqual([
    'security: 4 refused or contained of 4',
  ]);
});

test('a case that got through, or did not run', () => {
  expect(score(['passed', 'failed'], ['skipped'])).toEqual([
    'security: 1 refused or contained of 3',
    'a.test.ts: 1 not refused',
    'b.test.ts: 1 not refused',
  ]);
});

test('cases that are not there any more', () => {
  expect(score(['passed'])).toEqual([
    'security: 1 refused or contained of 3',
    'a.test.ts: 1 of 2 cases are missing',
    'b.test.ts: 1 of 1 cases are missing',
  ]);
});

test('a file that nobody has classed', () => {
  expect(score(['passed', 'passed'], ['passed'], [...FILES, 'd.test.ts'])).toEqual([
    'security: 3 refused or contained of 3',
    'd.test.ts: test/security/scorecard.json does not say whether it holds cases',
  ]);
});

test('every file of the suite is classed, and every classed file is there', () => {
  const { cases, others } = scripts.readScorecard();
  expect([...Object.keys(cases), ...Object.keys(others)].sort()).toEqual([...scripts.listFiles()].sort());
});

test('the whole run prints it: the suites are run with its reporter', () => {
  const read = (path: string): string => readFileSync(resolve(import.meta.dirname, '../..', path), 'utf8');
  expect(read('scripts/test')).toContain('--reporter=./scripts/scorecard-reporter.mjs');
});
