import { attachContainer } from '../../engine/containers/attach-container.ts';
import { clientStreams } from '../http/client-streams.ts';
import type { RouteContext } from '../http/route.ts';
import { streamMediaType } from '../http/stream-media-type.ts';

/** `POST /containers/{id}/attach`: the place is taken before the client hears of it, then the connection is the streams'. */
export async function attach(context: RouteContext): Promise<void> {
  const { job, query, signal } = context;
  const attachment = await attachContainer(job, context.param('id'), {
    stdin: query.bool('stdin'),
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    stream: query.bool('stream'),
    logs: query.bool('logs'),
    detachKeys: query.string('detachKeys'),
  });
  try {
    const { isTty } = attachment;
    const connection = context.hijack(streamMediaType(isTty, context.apiVersion));
    await attachment.join(clientStreams(connection, { isTty, signal }));
    await connection.end();
  } finally {
    attachment.cancel();
  }
}
