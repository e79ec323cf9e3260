import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const leakCheck = 'test/support/leaks-global-setup.ts';

/** Suites on real containerd: they share one machine, so files run one after the other. */
function realMachine(name: string): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      globalSetup: [leakCheck],
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      // What a poll waits for is an event on a machine that may be busy; a test that fails may take that long.
      expect: { poll: { timeout: 30_000, interval: 50 } },
    },
  };
}

export default defineConfig({
  test: {
    reporters: ['default', './scripts/scorecard-reporter.mjs'],
    teardownTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          // No module has state of its own (lint sees to it), so files may share them: half the time.
          isolate: false,
          include: [
            'src/**/*.test.ts',
            'test/docs/**/*.test.ts',
            'test/support/**/*.test.ts',
            'test/layers/**/*.test.ts',
            'test/scripts/**/*.test.ts',
          ],
        },
      },
      { test: { name: 'contract', isolate: false, include: ['test/contract/**/*.test.ts'] } },
      realMachine('adapters'),
      realMachine('security'),
      realMachine('differential'),
      realMachine('e2e'),
    ],
  },
});
