import type { Containerd } from '../containerd/types.ts';
import { EngineError } from '../errors.ts';
import { settlesWithin } from '../lib/settles-within.ts';

const ANSWER_MS = 10_000;

/** Waits for work of containerd for as long as that answers at all; Unavailable where it is silent for ten seconds. */
export async function whileItAnswers<T>(
  { version }: Pick<Containerd, 'version'>,
  work: Promise<T>,
  answerMs = ANSWER_MS,
): Promise<T> {
  while (!(await settlesWithin(work, answerMs)))
    if (!(await settlesWithin(version.version(), answerMs)))
      throw new EngineError('Unavailable', 'containerd does not answer');
  return work;
}
