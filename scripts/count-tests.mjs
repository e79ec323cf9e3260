// count-tests RESULTS-DIRECTORY SUITE…: adds up the JSON reports of the suites and prints "N passed, M failed".
// The security suite's scorecard is repeated. A suite without a report or without a test, and a failed step that no failed test explains, count as failures.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scoreReport } from './score-cases.mjs';

const lastWords = 40;

function countSuite(reportFile) {
  if (!existsSync(reportFile))
    return { passed: 0, failed: 1, skipped: 0, failures: [], note: 'left no report' };
  const report = JSON.parse(readFileSync(reportFile, 'utf8'));
  // A file that could not be loaded is a failed suite with no test in it.
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const failures = [
    ...brokenFiles.map(({ name }) => name),
    ...report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ),
  ];
  const counts = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
    failures,
  };
  if (report.numTotalTests === 0) return { ...counts, failed: counts.failed + 1, note: 'ran no test' };
  return counts;
}

function readFailedSteps(directory) {
  const file = join(directory, 'failed-steps');
  if (!existsSync(file)) return [];
  return [...new Set(readFileSync(file, 'utf8').split('\n'))].filter((line) => line !== '');
}

function readLastWords(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lastWords);
}

const [directory, ...suites] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
const explained = new Set();
for (const suite of suites) {
  const { passed, failed, skipped, failures, note } = countSuite(join(directory, `${suite}.json`));
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
  if (failed > 0) explained.add(suite);
  console.log(
    `test: ${suite}: ${passed} passed, ${failed} failed, ${skipped} skipped${note ? ` (${note})` : ''}`,
  );
  // Once more at the end: the suite's own words may be thousands of lines further up.
  for (const name of failures) console.log(`test: ${suite}: FAILED ${name}`);
}
// A case that got through is a failed test already; one that is missing is not.
const score = suites.includes('security') ? scoreReport(join(directory, 'security.json')) : undefined;
if (score) {
  console.log(`test: ${score.line}`);
  for (const fault of score.faults) console.log(`test: security: ${fault}`);
  if (score.faults.length > 0 && !explained.has('security')) {
    explained.add('security');
    total.failed += 1;
  }
}
for (const step of readFailedSteps(directory)) {
  if (explained.has(step)) continue;
  total.failed += 1;
  console.log(`test: ${step}: failed`);
  // A leak, or an error outside every test: the suite's last words say what it was.
  for (const line of readLastWords(join(directory, `${step}.stderr`))) console.log(`test: ${step}: ${line}`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;
