import { messageOf } from '../../errors.ts';
import type { RouteContext } from './route.ts';

/** Turns what went wrong in the middle of an answer into the words that clients show. */
export type ErrorWording = (error: unknown) => string;

function line(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\r\n`);
}

/**
 * Answers with one JSON document per line as they come. An error before the first is thrown on and becomes a status;
 * a later one becomes an `errorDetail` line, at which clients fail.
 */
export async function sendJsonStream(
  context: RouteContext,
  values: AsyncIterable<unknown>,
  wording: ErrorWording = messageOf,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  let next = await iterator.next();
  const writer = context.openStream('application/json');
  try {
    while (next.done !== true) {
      await writer.write(line(next.value));
      next = await iterator.next();
    }
  } catch (error) {
    await iterator.return?.();
    if (context.signal.aborted) throw error;
    const message = wording(error);
    await writer.write(line({ errorDetail: { message }, error: message }));
  }
  await writer.end();
}
