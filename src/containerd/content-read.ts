import { frameMessage, PayloadReader } from './blob-frames.ts';
import type { Caller } from './channel.ts';
import type { ReadContentRequestInput } from './generated/content.ts';

// `data` of ReadContentResponse.
const DATA_FIELD = 2;

/** Streams a blob's bytes as containerd sends them; stopping the iteration ends the call. */
export async function* readContent(
  caller: Caller<'content'>,
  request: ReadContentRequestInput,
): AsyncGenerator<Uint8Array, void> {
  const { call, codec } = await caller.openBlobCall('Read');
  try {
    await call.write([frameMessage(codec.encode(request))]);
    call.frames.end();
    const payload = new PayloadReader(DATA_FIELD);
    for await (const chunk of call.frames as AsyncIterable<Buffer>) yield* payload.push(chunk);
    await call.ended;
  } catch (error) {
    // The status says more than a stream that broke.
    await call.ended.catch((status: unknown) => {
      throw caller.toError(status);
    });
    throw caller.toError(error);
  } finally {
    call.cancel();
  }
}
