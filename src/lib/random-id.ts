import { randomBytes } from 'node:crypto';

/** What of an id names things in short: a container's host name among them. */
const SHORT_DIGITS = 12;

/**
 * 64 lower-case hex digits from the system's random source, as Docker's object ids. The first twelve have a letter, as
 * dockerd's: a host name of digits alone would be taken for a number.
 */
export function createRandomId(source: (bytes: number) => Buffer = randomBytes): string {
  for (;;) {
    const id = source(32).toString('hex');
    if (/[a-f]/.test(id.slice(0, SHORT_DIGITS))) return id;
  }
}
