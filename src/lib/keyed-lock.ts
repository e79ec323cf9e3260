/** One queue per key: sections with the same key run one after another, in the order of asking. */
export interface KeyedLock {
  run<T>(key: string, section: () => Promise<T>): Promise<T>;
}

/** Makes a lock without keys; a key's queue vanishes with its last section. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(key, section) {
      const before = tails.get(key);
      let release: () => void = () => undefined;
      const tail = new Promise<void>((resolve) => {
        release = resolve;
      });
      tails.set(key, tail);
      try {
        await before;
        return await section();
      } finally {
        if (tails.get(key) === tail) tails.delete(key);
        release();
      }
    },
  };
}
