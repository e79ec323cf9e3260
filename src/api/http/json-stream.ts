import { describeError, logError } from './error-response.ts';
import type { RouteContext } from './route.ts';

function line(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\r\n`);
}

/**
 * Answers with one JSON document per line as they come. An error before the first is thrown on and becomes a status;
 * a later one becomes an `errorDetail` line, at which clients fail; `detailsOf` adds members to that.
 */
export async function sendJsonStream(
  context: RouteContext,
  values: AsyncIterable<unknown>,
  detailsOf: (error: unknown) => object = () => ({}),
): Promise<void> {
  const { job, signal } = context;
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
    if (signal.aborted) throw error;
    logError(error, { job, what: 'stream of progress', isLeft: false });
    const { message } = describeError(error, job);
    await writer.write(line({ errorDetail: { ...detailsOf(error), message }, error: message }));
  }
  await writer.end();
}

/** Answers with status 200 and an error line alone, where dockerd has begun its answer before it looks at the request. */
export async function sendErrorStream(context: RouteContext, error: unknown): Promise<void> {
  const { job } = context;
  logError(error, { job, what: 'stream of progress', isLeft: false });
  const { message } = describeError(error, job);
  const writer = context.openStream('application/json');
  await writer.write(line({ errorDetail: { message }, error: message }));
  await writer.end();
}
