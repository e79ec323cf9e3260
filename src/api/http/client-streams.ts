import type { ClientStreams } from '../../engine/containers/connect-client.ts';
import type { HijackedConnection } from './route.ts';
import { stdcopyHeader } from './stdcopy.ts';

/** A hijacked connection as the engine sees a client: framed by stream, or raw. */
export function clientStreams(
  connection: HijackedConnection,
  options: { readonly isRaw: boolean; readonly signal: AbortSignal },
): ClientStreams {
  return {
    write: (stream, data) =>
      options.isRaw ? connection.write(data) : connection.write(stdcopyHeader(stream, data.length), data),
    input: connection.input as AsyncIterable<Buffer>,
    signal: options.signal,
  };
}
