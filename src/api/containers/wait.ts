import { waitContainer, type WaitCondition } from '../../engine/containers/wait-container.ts';
import { ShapeError } from '../../errors.ts';
import { isAtLeast } from '../http/api-version.ts';
import type { RouteContextOf } from '../http/route.ts';

/** `POST /containers/{id}/wait`: the headers go out before the wait, because the CLI starts the container on them. */
export async function wait(context: RouteContextOf<'container wait'>): Promise<void> {
  const { status } = waitContainer(context.job, context.param('id'), waitCondition(context));
  const writer = context.openStream('application/json');
  const left = new Promise<undefined>((resolve) => {
    context.signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
  const exit = await Promise.race([status, left]);
  if (!exit) return;
  const answer = {
    StatusCode: exit.exitCode,
    ...(exit.error === '' ? {} : { Error: { Message: exit.error } }),
  };
  await writer.write(Buffer.from(`${JSON.stringify(answer)}\n`));
  await writer.end();
}

/** What is waited for; InvalidArgument in dockerd's words for anything but its three words. */
export function waitCondition(
  context: Pick<RouteContextOf<'container wait'>, 'query' | 'apiVersion'>,
): WaitCondition {
  const text = context.query.string('condition');
  if (text === '' || !isAtLeast(context.apiVersion, '1.30')) return 'not-running';
  if (text === 'not-running' || text === 'next-exit' || text === 'removed') return text;
  throw new ShapeError(`invalid condition: "${text}"`);
}
