import { statsContainer } from '../../engine/containers/stats-container.ts';
import { isAtLeast } from '../http/api-version.ts';
import type { RouteContextOf } from '../http/route.ts';

/** `GET /containers/{id}/stats`: one JSON document per line, a single one without `stream`. */
export async function stats(context: RouteContextOf<'container stats'>): Promise<void> {
  const { job, query, apiVersion } = context;
  const samples = statsContainer(job, context.param('id'), {
    stream: query.boolOr('stream', true),
    oneShot: query.bool('one-shot') && isAtLeast(apiVersion, '1.41'),
    signal: context.signal,
  });
  const writer = context.openStream('application/json');
  for await (const sample of samples) await writer.write(Buffer.from(`${JSON.stringify(sample)}\n`));
  await writer.end();
}
