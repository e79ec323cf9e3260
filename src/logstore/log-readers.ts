import { createSharedTurns } from '../lib/turns.ts';

/** Those who read logs of one store at the same time: they share the thread, and the memory that blocks are read into. */
export interface LogReaders {
  /** One more; answers the function that says it is gone. */
  enter(): () => void;
  /** How much one of them may read at a time, in bytes; a longer record is read all the same. */
  shareBytes(): number;
  /** To be awaited before each piece of work. */
  takeTurn(): Promise<void> | undefined;
}

/** What all blocks together may take; clients that do not read keep theirs as long as they like. */
const ALL_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 16 * 1024;

/** Nobody reads yet. */
export function createLogReaders(): LogReaders {
  let count = 0;
  return {
    enter() {
      count += 1;
      return () => {
        count -= 1;
      };
    },
    shareBytes: () => Math.max(LEAST_BYTES, Math.floor(ALL_BYTES / count)),
    takeTurn: createSharedTurns(),
  };
}
