import type { MethodDefinition, ServerDuplexStream } from '@grpc/grpc-js';
import { EngineError } from '../errors.ts';
import type { StreamingCall } from './session-calls.ts';

/** A call that somebody makes to us, seen from this side: what they send is read, what is sent they get. */
export function servedCall(
  call: ServerDuplexStream<Uint8Array, Uint8Array>,
): StreamingCall<Uint8Array, Uint8Array> {
  const gone = new EngineError('Cancelled', 'the caller has gone');
  call.once('cancelled', () => call.destroy(gone));
  return {
    send(message) {
      call.write(message);
    },
    async sendPaced(message) {
      if (call.cancelled || call.destroyed) throw gone;
      if (call.write(message)) return;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          call.off('drain', go).off('close', go).off('cancelled', go);
          resolve();
        };
        call.on('drain', go).on('close', go).on('cancelled', go);
      });
    },
    messages: messagesOf(call),
    end: () => {
      call.end();
    },
    // What has failed is told by who serves the call.
    cancel: () => undefined,
  };
}

async function* messagesOf(
  call: ServerDuplexStream<Uint8Array, Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  // The answer may be on its way yet when they have sent all.
  for await (const message of call.iterator({ destroyOnReturn: false })) yield message as Uint8Array;
}

/** The same with the messages of a method that has one kind of them for both ways. */
export function typedCall<Input, Message>(
  raw: StreamingCall<Uint8Array, Uint8Array>,
  method: Pick<MethodDefinition<Input, Message>, 'requestSerialize' | 'responseDeserialize'>,
): StreamingCall<Input, Message> {
  return {
    ...raw,
    send(message) {
      raw.send(method.requestSerialize(message));
    },
    sendPaced: (message) => raw.sendPaced(method.requestSerialize(message)),
    messages: (async function* () {
      for await (const bytes of raw.messages) yield method.responseDeserialize(Buffer.from(bytes));
    })(),
  };
}

/** Passes a call on, both ways at the pace of who reads; throws what came of it. */
export async function relayCall(
  call: StreamingCall<Uint8Array, Uint8Array>,
  onward: StreamingCall<Uint8Array, Uint8Array>,
): Promise<void> {
  const forth = async (): Promise<void> => {
    for await (const message of call.messages) await onward.sendPaced(message);
    onward.end();
  };
  // Who has broken off takes the other half along.
  forth().catch(() => {
    onward.cancel();
  });
  try {
    for await (const message of onward.messages) await call.sendPaced(message);
    call.end();
  } finally {
    onward.cancel();
  }
}
