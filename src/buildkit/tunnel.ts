import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectedPair } from './connected-pair.ts';
import type { BytesMessage, BytesMessageInput } from './generated/control.ts';
import type { StreamingCall } from './session-calls.ts';

/** Joins a connection with a call whose messages carry its bytes: one ends with the other, and is paced by it. */
export function joinCall(call: StreamingCall<BytesMessageInput, BytesMessage>, near: Socket): void {
  const leave = (): void => {
    near.destroy();
    call.cancel();
  };
  near.on('error', leave);
  const forth = async (): Promise<void> => {
    for await (const data of near as AsyncIterable<Buffer>) await call.sendPaced({ data });
    call.end();
  };
  const back = async (): Promise<void> => {
    for await (const { data } of call.messages)
      if (data.length > 0 && !near.write(data))
        await Promise.race([once(near, 'drain'), once(near, 'close')]);
    near.end();
  };
  forth().catch(leave);
  back().catch(leave);
}

/**
 * A connection within a call: what is written goes out in its messages. It ends with the call, and the call with it.
 * Sockets, for Node's HTTP/2 on a stream of another kind ends the process where the other side is cut off.
 */
export async function openTunnel(
  call: StreamingCall<BytesMessageInput, BytesMessage>,
  directory: string,
): Promise<Socket> {
  const [near, far] = await connectedPair(directory);
  far.on('error', () => near.destroy());
  joinCall(call, near);
  return far;
}
