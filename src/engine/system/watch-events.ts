import { matchesExactly, matchesLabels, type Filters } from '../filters.ts';
import type { JobEvent } from '../../state/event-log.ts';
import type { Job } from '../job.ts';

/** Which events a client wants; times are nanoseconds since the epoch. */
export interface EventSelection {
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly filters: Filters;
}

const ACTOR_FILTERS = [
  'daemon',
  'container',
  'plugin',
  'volume',
  'network',
  'node',
  'service',
  'secret',
  'config',
];
/** Filters of `GET /events` that choose something. */
export const EVENT_FILTERS = [...ACTOR_FILTERS, 'event', 'image', 'label', 'scope', 'type'];
const PREFIX_ACTIONS = ['health_status', 'exec_create', 'exec_start'];

/** True when the filter is absent or one of its values begins the text. */
function matchesPrefix(filters: Filters, name: string, text: string): boolean {
  const values = filters.get(name) ?? [];
  return values.length === 0 || values.some((value) => text.startsWith(value));
}

/** These three actions carry a detail after a colon; asked for without one, any detail matches. */
function matchesAction(filters: Filters, action: string): boolean {
  const values = filters.get('event') ?? [];
  const isPrefix = values.some((value) => PREFIX_ACTIONS.includes(value));
  return isPrefix ? matchesPrefix(filters, 'event', action) : matchesExactly(filters, 'event', action);
}

function withoutTag(image: string): string {
  const [name = ''] = image.split('@');
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}

/** An image by id or name, or a container made from it; with or without its tag. */
function matchesImage(filters: Filters, { type, actorId, attributes }: JobEvent): boolean {
  const name = attributes[type === 'image' ? 'name' : 'image'] ?? '';
  return [actorId, name, withoutTag(actorId), withoutTag(name)].some((one) =>
    matchesExactly(filters, 'image', one),
  );
}

/** As dockerd: `container=web` names whatever object is or is called so, by a prefix of its id or name. */
function matchesActor(filters: Filters, { actorId, attributes }: JobEvent): boolean {
  return ACTOR_FILTERS.every(
    (kind) => matchesPrefix(filters, kind, actorId) || matchesPrefix(filters, kind, attributes['name'] ?? ''),
  );
}

function isWanted({ sinceNs, untilNs, filters }: EventSelection, event: JobEvent): boolean {
  return (
    (sinceNs === undefined || event.timeNs >= sinceNs) &&
    (untilNs === undefined || event.timeNs <= untilNs) &&
    matchesAction(filters, event.action) &&
    matchesExactly(filters, 'type', event.type) &&
    matchesExactly(filters, 'scope', 'local') &&
    matchesActor(filters, event) &&
    matchesImage(filters, event) &&
    matchesLabels(filters, event.attributes)
  );
}

/** Longest time that a Node timer can wait for. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Aborted when the client leaves, the job ends or `until` is reached. */
function untilSignal(job: Job, untilNs: bigint | undefined, signal: AbortSignal): AbortSignal {
  const signals = [signal, job.signal];
  if (untilNs !== undefined) {
    const waitMs = Math.max(0, Number((untilNs - job.nowNs()) / 1_000_000n));
    if (waitMs <= MAX_TIMER_MS) signals.push(AbortSignal.timeout(waitMs));
  }
  return AbortSignal.any(signals);
}

/**
 * The job's events, remembered ones first where a time is given, then new ones until `untilNs`, or the signal.
 * It takes its place in the stream of events when it is called, not when it is first read.
 */
export function watchEvents(
  job: Job,
  selection: EventSelection,
  signal: AbortSignal,
): AsyncIterable<JobEvent> {
  const { sinceNs, untilNs } = selection;
  const isReplayed = sinceNs !== undefined || untilNs !== undefined;
  const past = isReplayed ? job.events.recent() : [];
  const coming = job.events.subscribe(untilSignal(job, untilNs, signal));
  return select([past, coming], selection);
}

async function* select(
  sources: readonly (Iterable<JobEvent> | AsyncIterable<JobEvent>)[],
  selection: EventSelection,
): AsyncGenerator<JobEvent> {
  for (const source of sources) for await (const event of source) if (isWanted(selection, event)) yield event;
}
