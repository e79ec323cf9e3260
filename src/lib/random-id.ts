import { randomBytes } from 'node:crypto';

/** 64 lower-case hex digits from the system's random source, as Docker's object ids. */
export function createRandomId(): string {
  return randomBytes(32).toString('hex');
}
