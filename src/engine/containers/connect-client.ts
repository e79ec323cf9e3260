import { isErrorKind } from '../../errors.ts';
import { createDeferred } from '../../lib/deferred.ts';
import { createLastingRace } from '../../lib/lasting-race.ts';
import type { StreamName } from '../../stdio/types.ts';
import type { StreamSession } from '../../state/container.ts';

/** A client's end of an attached process. */
export interface ClientStreams {
  /** Sends output; a promise holds the process back until the client has taken it. The data is not kept. */
  write(stream: StreamName, data: Buffer): void | Promise<void>;
  /** What the client types; ends with its half-close. */
  readonly input: AsyncIterable<Buffer>;
  /** Aborted when the client is gone for good. */
  readonly signal: AbortSignal;
}

/** Which streams a client is joined to, and how it leaves. */
export interface ConnectOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Bytes that end the connection when typed in a row; empty for none. Only looked for where there is a terminal. */
  readonly detachKeys: Buffer;
  /**
   * Closes the process's stdin at the client's end of input, called once that is safe. Undefined where stdin stays
   * open for others, or is a terminal: there the client's end of input is its leaving, as in dockerd.
   */
  readonly closeStdin: (() => Promise<void>) | undefined;
}

/** How a client's connection to a process came to its end. */
export type ConnectionEnd = 'ended' | 'gone' | 'detached';

/** A client's place at a process: output is held for it from now on, though its connection is not yet there. */
export interface ClientPlace {
  /** Joins the connection, until the output ends, the client leaves (`gone`) or types the detach keys. */
  join(client: ClientStreams): Promise<ConnectionEnd>;
  /** Gives the place up without a connection. */
  cancel(): void;
}

/** Takes a place at a process before the client is told that it may start it: so no output can be missed. */
export function openClientPlace(session: StreamSession, options: ConnectOptions): ClientPlace {
  const arrival = createDeferred<ClientStreams>();
  const end = createDeferred<ConnectionEnd>();
  const drop = (): void => {
    end.resolve('gone');
  };
  const race = createLastingRace<ConnectionEnd>();
  end.promise.then(race.win, race.lose);
  let joined: ClientStreams | undefined;
  const deliver = async (stream: StreamName, data: Buffer): Promise<void> => {
    const client = joined ?? (await race.run(arrival.promise));
    if (typeof client === 'string' || end.isSettled) return;
    try {
      const written = client.write(stream, data);
      if (written) await race.run(written);
    } catch (error) {
      // A client that leaves in the middle of a piece is no failure.
      if (!isErrorKind(error, 'Cancelled')) throw error;
      drop();
    }
  };
  const removeSink = session.io.addSink({
    write: (chunk) => (options[chunk.stream] ? deliver(chunk.stream, chunk.data) : undefined),
    end: () => {
      end.resolve('ended');
    },
  });
  session.clients.add(drop);
  void end.promise.then(() => {
    removeSink();
    session.clients.delete(drop);
  });
  return {
    cancel: drop,
    async join(client) {
      joined = client;
      arrival.resolve(client);
      if (client.signal.aborted) drop();
      client.signal.addEventListener('abort', drop, { once: true });
      if (options.stdin)
        pumpInput(session, client, options).then(
          (how) => {
            end.resolve(how);
          },
          (error: unknown) => {
            end.reject(error);
          },
        );
      return end.promise;
    },
  };
}

/** Resolves when the client types the detach keys; an end of input leaves the output flowing, and this pending. */
async function pumpInput(
  session: StreamSession,
  client: ClientStreams,
  options: ConnectOptions,
): Promise<'detached' | 'gone'> {
  const scanner = createDetachScanner(options.detachKeys);
  try {
    for await (const data of client.input) {
      const { rest, isDetached } = scanner(data);
      if (rest.length > 0) await session.io.writeStdin(rest);
      if (isDetached) return 'detached';
    }
  } catch (error) {
    // The process has closed its stdin or ended: what is typed from here on goes nowhere, as with a shell's pipe.
    if (!isErrorKind(error, 'Conflict') && !client.signal.aborted && !isCutOff(error)) throw error;
  }
  if (!options.closeStdin) return 'gone';
  // Also for a client that has vanished: as with dockerd, its input has come to an end.
  await session.taskCreated.promise;
  await options.closeStdin();
  return new Promise<never>(() => undefined);
}

/** True where the connection was given up since output could not be written to it any more. */
function isCutOff(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** Finds the detach sequence across chunks; a prefix of it is held back until the next byte decides. */
export function createDetachScanner(
  keys: Buffer,
): (data: Buffer) => { readonly rest: Buffer; readonly isDetached: boolean } {
  let matched = 0;
  return (data) => {
    if (keys.length === 0) return { rest: data, isDetached: false };
    const rest: number[] = [];
    for (const byte of data) {
      if (byte === keys[matched]) {
        matched += 1;
        if (matched === keys.length) return { rest: Buffer.from(rest), isDetached: true };
      } else {
        rest.push(...keys.subarray(0, matched));
        matched = byte === keys[0] ? 1 : 0;
        if (matched === 0) rest.push(byte);
      }
    }
    return { rest: Buffer.from(rest), isDetached: false };
  };
}
