import { requireStartable, startExec } from '../../engine/exec/start-exec.ts';
import { clientStreams } from '../http/client-streams.ts';
import { describeError } from '../http/error-response.ts';
import { known } from '../http/known.ts';
import type { RouteContext } from '../http/route.ts';
import { stdcopyHeader } from '../http/stdcopy.ts';
import { streamMediaType } from '../http/stream-media-type.ts';
import { decodeExecStart } from './decode-exec-start.ts';

/** `POST /exec/{id}/start`. Once the connection is taken over, a failure is told on it, as dockerd does. */
export async function start(context: RouteContext): Promise<void> {
  const { job, signal } = context;
  const asked = known(job, 'exec start', decodeExecStart(context.body, context.apiVersion));
  const { id } = requireStartable(job, context.param('id'));
  const { consoleSize } = asked;
  if (asked.detach) {
    await startExec(job, id, { client: undefined, consoleSize });
    context.empty(200);
    return;
  }
  // As dockerd: the start says how the output is sent, whatever the exec was created with.
  const isTty = asked.isRaw;
  const connection = context.hijack(streamMediaType(isTty, context.apiVersion));
  try {
    await startExec(job, id, { client: clientStreams(connection, { isRaw: isTty, signal }), consoleSize });
  } catch (error) {
    const text = Buffer.from(`${describeError(error, job).message}\r\n`);
    await (isTty ? connection.write(text) : connection.write(stdcopyHeader('stdout', text.length), text));
  }
  await connection.end();
}
