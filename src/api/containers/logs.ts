import { logsContainer, type LogOptions } from '../../engine/containers/logs-container.ts';
import { ShapeError } from '../../errors.ts';
import type { RouteContextOf } from '../http/route.ts';
import { createLineFramer } from '../http/stdcopy.ts';
import { streamMediaType } from '../http/stream-media-type.ts';
import { parseTimestamp } from '../http/timestamp.ts';

type LogsQuery = RouteContextOf<'container logs'>['query'];

/** `GET /containers/{id}/logs`. */
export async function logs(context: RouteContextOf<'container logs'>): Promise<void> {
  const options = logOptions(context.query);
  const { isTty, frames } = logsContainer(context.job, context.param('id'), {
    options,
    signal: context.signal,
  });
  // A follower wants to know that it listens; nobody else has to be woken twice.
  const sent = options.follow ? 'at once' : 'with data';
  const writer = context.openStream(streamMediaType(isTty, context.apiVersion), undefined, sent);
  const frameLines = createLineFramer();
  for await (const { stream, data } of frames) {
    await writer.write(isTty ? data : frameLines(stream, data));
  }
  await writer.end();
}

function logOptions(query: LogsQuery): LogOptions {
  return {
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    follow: query.bool('follow'),
    timestamps: query.bool('timestamps'),
    details: query.bool('details'),
    tail: tail(query.string('tail')),
    sinceNs: logTime(query, 'since'),
    untilNs: logTime(query, 'until'),
  };
}

/** As dockerd: what is not a number means all. */
function tail(text: string): number | 'all' {
  return /^\d{1,15}$/.test(text) ? Number(text) : 'all';
}

/** A moment in the query of logs, in nanoseconds since the epoch; undefined where it asks for nothing. */
export function logTime(query: LogsQuery, name: 'since' | 'until'): bigint | undefined {
  const text = query.string(name);
  if (text === '' || text === '0') return undefined;
  const timeNs = parseTimestamp(text);
  if (timeNs === undefined) throw new ShapeError(`invalid value for "${name}": ${text}`);
  return timeNs;
}
