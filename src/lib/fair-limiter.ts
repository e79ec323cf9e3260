import { setTimeout as sleep } from 'node:timers/promises';
import { createLimiter, type Limiter } from './limiter.ts';

/** Lets a bounded number of sections run at once, and of each key only some of these: no key keeps others waiting for long. */
export interface FairLimiter {
  run<T>(key: string, section: () => Promise<T>): Promise<T>;
}

/** How many sections run at once. */
export interface FairLimits {
  readonly ofAll: number;
  readonly ofKey: number;
  /** A section that takes longer gives its place among all to the next one, but keeps the one of its key. */
  readonly patienceMs: number;
}

/** Makes a limiter; each key has its own order of asking. */
export function createFairLimiter({ ofAll, ofKey, patienceMs }: FairLimits): FairLimiter {
  const shared = createLimiter(ofAll);
  const keys = new Map<string, { readonly limiter: Limiter; users: number }>();
  return {
    async run(key, section) {
      const own = keys.get(key) ?? { limiter: createLimiter(ofKey), users: 0 };
      keys.set(key, own);
      own.users += 1;
      try {
        return await own.limiter.run(() => runForAWhile(shared, section, patienceMs));
      } finally {
        own.users -= 1;
        if (own.users === 0) keys.delete(key);
      }
    },
  };
}

function runForAWhile<T>(shared: Limiter, section: () => Promise<T>, patienceMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    void shared.run(async () => {
      const over = new AbortController();
      const running = section();
      running.then(resolve, reject).finally(() => {
        over.abort();
      });
      await sleep(patienceMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
    });
  });
}
