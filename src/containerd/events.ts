import { randomUUID } from 'node:crypto';

import { EngineError } from '../errors.ts';
import type { Caller, CallScope, Channel } from './channel.ts';
import { toAny, toDate, toOptionalDate } from './convert.ts';
import { loadMessage } from './definitions.ts';
import type { Envelope } from './generated/events.ts';
import type { TaskExit, TaskOOM } from './generated/task-events.ts';
import type { Any } from './types-core.ts';
import type { EventEnvelope, Events, TaskEvent } from './types-metadata.ts';

const markerPrefix = '/berth/subscribed/';
const markerIntervalMs = 50;

/** Events service. */
export function createEvents(channel: Channel, scope: CallScope): Events {
  const caller = channel.caller('events', scope);
  return {
    async subscribe(filters, signal) {
      const decode = await loadDecoder();
      // containerd does not confirm a subscription. An event of our own that comes back on it does.
      const marker = `${markerPrefix}${randomUUID().replaceAll('-', '')}`;
      const wanted = [...(filters.length > 0 ? filters : ['topic~="^/"']), `topic=="${marker}"`];
      const envelopes = caller.stream('Subscribe', { filters: wanted }, { signal });
      const early = await confirm(caller, envelopes, marker);
      return convert({ envelopes, early, decode, signal });
    },
  };
}

async function confirm(
  caller: Caller<'events'>,
  envelopes: AsyncGenerator<Envelope, void>,
  marker: string,
): Promise<readonly Envelope[]> {
  const early: Envelope[] = [];
  const publish = (): Promise<unknown> =>
    caller.unary('Publish', { topic: marker, event: { type_url: markerType } });
  const timer = setInterval(() => void publish().catch(() => undefined), markerIntervalMs);
  try {
    const first = envelopes.next();
    await Promise.race([publish(), first]);
    for (let next = await first; ; next = await envelopes.next()) {
      if (next.done) throw new EngineError('Unavailable', 'containerd ended the subscription');
      if (next.value.topic === marker) return early;
      early.push(next.value);
    }
  } catch (error) {
    await envelopes.return();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const markerType = 'google.protobuf.Empty';

interface Subscription {
  readonly envelopes: AsyncGenerator<Envelope, void>;
  readonly early: readonly Envelope[];
  readonly decode: (event: Any) => TaskEvent | undefined;
  readonly signal: AbortSignal;
}

async function* convert({
  envelopes,
  early,
  decode,
  signal,
}: Subscription): AsyncGenerator<EventEnvelope, void> {
  const toEnvelope = (raw: Envelope): EventEnvelope => {
    const event = toAny(raw.event);
    const { namespace, topic } = raw;
    return { timestamp: toDate(raw.timestamp), namespace, topic, event, taskEvent: decode(event) };
  };
  try {
    for (const raw of early) yield toEnvelope(raw);
    for await (const raw of envelopes) {
      if (!raw.topic.startsWith(markerPrefix)) yield toEnvelope(raw);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await envelopes.return();
  }
  if (!signal.aborted) throw new EngineError('Unavailable', 'containerd ended the subscription');
}

async function loadDecoder(): Promise<(event: Any) => TaskEvent | undefined> {
  const exit = await loadMessage<never, TaskExit>('task-events', 'containerd.events.TaskExit');
  const oom = await loadMessage<never, TaskOOM>('task-events', 'containerd.events.TaskOOM');
  return ({ typeUrl, value }) => {
    const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
    if (name === 'containerd.events.TaskOOM') {
      return { kind: 'oom', containerId: oom.deserialize(Buffer.from(value)).containerId };
    }
    if (name !== 'containerd.events.TaskExit') return undefined;
    const { containerId, id, pid, exitStatus, exitedAt } = exit.deserialize(Buffer.from(value));
    return { kind: 'exit', containerId, id, pid, exitStatus, exitedAt: toOptionalDate(exitedAt) };
  };
}
