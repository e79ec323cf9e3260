import { watchEvents } from '../../engine/system/watch-events.ts';
import { ShapeError } from '../../errors.ts';
import type { EventMessage } from '../../wire/event-message.ts';
import type { RouteContextOf } from '../http/route.ts';
import { parseTimestamp } from '../http/timestamp.ts';

type WatchedEvent = ReturnType<typeof watchEvents> extends AsyncIterable<infer Event> ? Event : never;

/** A moment in the query of events, in nanoseconds since the epoch; undefined where there is none. */
export function eventTime(
  query: RouteContextOf<'events'>['query'],
  name: 'since' | 'until',
): bigint | undefined {
  const text = query.string(name);
  if (text === '') return undefined;
  const timeNs = parseTimestamp(text);
  if (timeNs === undefined)
    throw new ShapeError(`invalid value for ${name}: ${JSON.stringify(text)} is not a Unix timestamp`);
  return timeNs;
}

function legacyNames({
  type,
  action,
  actorId,
  attributes,
}: WatchedEvent): Pick<EventMessage, 'status' | 'id' | 'from'> {
  if (type !== 'container' && type !== 'image') return {};
  const image = attributes['image'];
  return {
    status: action,
    ...(actorId === '' ? {} : { id: actorId }),
    ...(type === 'container' && image !== undefined ? { from: image } : {}),
  };
}

function toMessage(event: WatchedEvent): Omit<EventMessage, 'timeNano'> {
  return {
    ...legacyNames(event),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: 'local',
    time: Number(event.timeNs / 1_000_000_000n),
  };
}

/** `timeNano` is written as text: a JavaScript number would round it. */
function formatMessage(event: WatchedEvent): Buffer {
  return Buffer.from(`${JSON.stringify(toMessage(event)).slice(0, -1)},"timeNano":${event.timeNs}}\n`);
}

/** `GET /events`: one JSON document per line; the headers go out at once, for clients wait for them. */
export async function events(context: RouteContextOf<'events'>): Promise<void> {
  const { job, query, signal } = context;
  const sinceNs = eventTime(query, 'since');
  const untilNs = eventTime(query, 'until');
  if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs)
    throw new ShapeError(
      `\`since\` time (${query.string('since')}) cannot be after \`until\` time (${query.string('until')})`,
    );
  const watched = watchEvents(job, { sinceNs, untilNs, filters: query.filters('filters') }, signal);
  const writer = context.openStream('application/json');
  for await (const event of watched) await writer.write(formatMessage(event));
  await writer.end();
}
