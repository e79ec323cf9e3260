import { isErrorKind } from '../errors.ts';

/** Waits for a removal; what is already gone counts as removed. */
export async function ignoreAbsent(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    if (!isErrorKind(error, 'NotFound')) throw error;
  }
}
