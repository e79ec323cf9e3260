// Prints the scorecard at the end of a whole security suite, and fails the run where a case is missing or got through.
import { basename } from 'node:path';
import { listFiles, readScorecard, scoreCases } from './score-cases.mjs';

export default class ScorecardReporter {
  onInit(vitest) {
    this.vitest = vitest;
  }

  onTestRunEnd(modules) {
    const ran = modules.filter(({ project }) => project.name === 'security');
    const statuses = new Map(
      ran.map(({ moduleId, children }) => [
        basename(moduleId),
        [...children.allTests()].map((test) => test.result().state),
      ]),
    );
    const files = listFiles();
    // Somebody looks at a part of it.
    if (this.vitest.config.testNamePattern || !files.every((file) => statuses.has(file))) return;
    const { line, faults } = scoreCases(readScorecard(), files, statuses);
    process.stdout.write(`\n${line}\n`);
    for (const fault of faults) process.stderr.write(`scorecard: ${fault}\n`);
    if (faults.length > 0) process.exitCode = 1;
  }
}
