import { afterAll } from 'vitest';

/** Counts the attacks of a file and how many came to nothing; prints one line at its end. */
export interface Scorecard {
  /** Runs one attack's checks; it counts as held off when they pass. */
  row(attack: () => Promise<void>): Promise<void>;
}

/** Makes the scorecard of a file; call it once, outside of the tests. */
export function createScorecard(title: string): Scorecard {
  let tried = 0;
  let held = 0;
  afterAll(() => {
    process.stdout.write(`${title}: ${held} refused or contained of ${tried}\n`);
  });
  return {
    async row(attack) {
      tried += 1;
      await attack();
      held += 1;
    },
  };
}
