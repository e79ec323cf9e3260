// The scorecard of the security suite: how many of its cases were refused or contained, of how many there have to be.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const suite = resolve(import.meta.dirname, '../test/security');

/** Cases of each file, at least, and the files that hold none, with why. */
export function readScorecard() {
  return JSON.parse(readFileSync(resolve(suite, 'scorecard.json'), 'utf8'));
}

/** Files of the suite as they are now. */
export function listFiles() {
  return readdirSync(suite).filter((name) => name.endsWith('.test.ts'));
}

/**
 * Scores what ran: by file, the status of each test. A case that did not pass, or is not there, is one that got through.
 * Answers the line and what is wrong.
 */
export function scoreCases({ cases, others }, files, statuses) {
  const faults = [];
  let held = 0;
  let all = 0;
  for (const [file, least] of Object.entries(cases)) {
    const ran = statuses.get(file) ?? [];
    const passed = ran.filter((status) => status === 'passed').length;
    held += passed;
    all += Math.max(least, ran.length);
    if (ran.length < least) faults.push(`${file}: ${least - ran.length} of ${least} cases are missing`);
    if (passed < ran.length) faults.push(`${file}: ${ran.length - passed} not refused`);
  }
  for (const file of files)
    if (!Object.hasOwn(cases, file) && !Object.hasOwn(others, file))
      faults.push(`${file}: test/security/scorecard.json does not say whether it holds cases`);
  return { line: `security: ${held} refused or contained of ${all}`, faults };
}

/** The same from a JSON report of vitest; undefined where there is none. */
export function scoreReport(reportFile) {
  if (!existsSync(reportFile)) return undefined;
  const { testResults } = JSON.parse(readFileSync(reportFile, 'utf8'));
  const statuses = new Map(
    testResults.map(({ name, assertionResults }) => [
      basename(name ?? ''),
      assertionResults.map(({ status }) => status),
    ]),
  );
  return scoreCases(readScorecard(), listFiles(), statuses);
}
