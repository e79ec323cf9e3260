import { attachContainer, type AttachOptions } from '../../engine/containers/attach-container.ts';
import { isAtLeast } from '../http/api-version.ts';
import { clientStreams } from '../http/client-streams.ts';
import type { HijackedConnection, RouteContextOf } from '../http/route.ts';
import { streamMediaType } from '../http/stream-media-type.ts';

type AttachContext = RouteContextOf<'container attach'>;
type NamedStreams = Pick<AttachOptions, 'stdin' | 'stdout' | 'stderr'>;

/** The streams that a client names. */
function namedStreams({ query }: AttachContext): NamedStreams {
  return { stdin: query.bool('stdin'), stdout: query.bool('stdout'), stderr: query.bool('stderr') };
}

/** Before API version 1.42 a WebSocket got all streams, whatever it named. */
function webSocketStreams(context: AttachContext): NamedStreams {
  if (isAtLeast(context.apiVersion, '1.42')) return namedStreams(context);
  return { stdin: true, stdout: true, stderr: true };
}

/** The place is taken before the client hears of it; then the connection is the streams'. */
async function attachWith(
  context: AttachContext,
  { isMixed, ...streams }: NamedStreams & { readonly isMixed: boolean },
  take: (isTty: boolean) => HijackedConnection | Promise<HijackedConnection>,
): Promise<void> {
  const { job, query, signal } = context;
  const attachment = await attachContainer(job, context.param('id'), {
    ...streams,
    stream: query.bool('stream'),
    logs: query.bool('logs'),
    detachKeys: query.string('detachKeys'),
  });
  try {
    const { isTty } = attachment;
    const connection = await take(isTty);
    await attachment.join(clientStreams(connection, { isRaw: isTty || isMixed, signal }));
    await connection.end();
  } finally {
    attachment.cancel();
  }
}

/** `POST /containers/{id}/attach`: framed by stream, but for a terminal. */
export function attach(context: AttachContext): Promise<void> {
  return attachWith(context, { ...namedStreams(context), isMixed: false }, (isTty) =>
    context.hijack(streamMediaType(isTty, context.apiVersion)),
  );
}

/** `GET /containers/{id}/attach/ws`: messages instead of frames, stdout and stderr in one. */
export function attachWebSocket(context: AttachContext): Promise<void> {
  return attachWith(context, { ...webSocketStreams(context), isMixed: true }, () =>
    context.acceptWebSocket(isAtLeast(context.apiVersion, '1.28') ? 'binary' : 'text'),
  );
}
