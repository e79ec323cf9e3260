import { Client, credentials, Metadata, type MethodDefinition } from '@grpc/grpc-js';

import { EngineError } from '../errors.ts';
import { openBlobChannel, type BlobCall, type BlobChannel } from './blob-channel.ts';
import {
  loadMethods,
  type RequestOf,
  type ResponseOf,
  type ServiceMethods,
  type ServiceName,
} from './definitions.ts';
import { toEngineError, type Callee } from './errors.ts';

// containerd sends at most 16 MiB in a message; ours stay at 1 MiB. Twice that leaves room for a changed server.
const maxMessageBytes = 32 * 1024 * 1024;

const channelOptions = {
  'grpc.max_receive_message_length': maxMessageBytes,
  'grpc.max_send_message_length': maxMessageBytes,
  // A restarted containerd is found again within half a second; until then calls fail at once.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  // gRPC servers in Go drop clients that ping more often than every five minutes.
  'grpc.keepalive_time_ms': 6 * 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // Retry buffers would hold what content writes send.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
};

/** Whose objects a call is about, and under which lease it makes new ones. */
export interface CallScope {
  readonly namespace: string;
  readonly leaseId: string | undefined;
}

/** How long one call may take, and what ends it early. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

/** Calls of one service within one scope; everything they throw is an EngineError. */
export interface Caller<N extends ServiceName> {
  unary<M extends keyof ServiceMethods[N]>(
    method: M,
    request: RequestOf<ServiceMethods[N][M]>,
    options?: CallOptions,
  ): Promise<ResponseOf<ServiceMethods[N][M]>>;
  /** Starts when iterated; ends the call when the iteration stops. */
  stream<M extends keyof ServiceMethods[N]>(
    method: M,
    request: RequestOf<ServiceMethods[N][M]>,
    options?: CallOptions,
  ): AsyncGenerator<ResponseOf<ServiceMethods[N][M]>, void>;
  /** Opens a call whose messages the caller frames by itself; its errors are for `toError`. */
  openBlobCall<M extends keyof ServiceMethods[N]>(
    method: M,
  ): Promise<{ readonly call: BlobCall; readonly codec: Codec<ServiceMethods[N][M]> }>;
  toError(error: unknown): EngineError;
}

/** How requests of a method are encoded, and what it answers is decoded. */
export interface Codec<D> {
  encode(request: RequestOf<D>): Uint8Array;
  decode(bytes: Buffer): ResponseOf<D>;
}

/** Connections to containerd, made at the first call and made again when they break. */
export interface Channel {
  readonly address: string;
  caller<N extends ServiceName>(service: N, scope: CallScope): Caller<N>;
  close(): void;
}

/** Turns a socket's path, or an address with a scheme, into gRPC's form. */
export function toTarget(address: string): string {
  return address.startsWith('/') ? `unix://${address}` : address;
}

function toSocketPath(address: string): string {
  return address.replace(/^unix:(\/\/)?/, '');
}

/** Prepares a channel; nothing is sent before the first call. */
export function openChannel(address: string, hiddenDirectories: readonly string[] = []): Channel {
  const client = new Client(toTarget(address), credentials.createInsecure(), channelOptions);
  const blobs = openBlobChannel(toSocketPath(address));
  const loaded = new Map<ServiceName, Promise<unknown>>();
  const methodsOf = <N extends ServiceName>(name: N): Promise<ServiceMethods[N]> => {
    const methods = loaded.get(name) ?? loadMethods(name);
    loaded.set(name, methods);
    return methods as Promise<ServiceMethods[N]>;
  };
  return {
    address,
    caller: (service, scope) =>
      createCaller(
        { client, blobs, scope, metadata: toMetadata(scope), callee: { address, hiddenDirectories } },
        () => methodsOf(service),
      ),
    close() {
      client.close();
      blobs.close();
    },
  };
}

interface Connection {
  readonly client: Client;
  readonly blobs: BlobChannel;
  readonly scope: CallScope;
  readonly callee: Callee;
  readonly metadata: Metadata;
}

type AnyMethod = MethodDefinition<unknown, unknown>;

function toMetadata({ namespace, leaseId }: CallScope): Metadata {
  const metadata = new Metadata();
  metadata.set('containerd-namespace', namespace);
  if (leaseId !== undefined) metadata.set('containerd-lease', leaseId);
  return metadata;
}

function createCaller<N extends ServiceName>(
  connection: Connection,
  loadService: () => Promise<ServiceMethods[N]>,
): Caller<N> {
  type Method = keyof ServiceMethods[N];
  const load = async (method: Method): Promise<AnyMethod> => (await loadService())[method] as AnyMethod;
  return {
    async unary<M extends Method>(
      method: M,
      request: RequestOf<ServiceMethods[N][M]>,
      options?: CallOptions,
    ) {
      const definition = await load(method);
      const answer = await callUnary(connection, { definition, request }, options ?? {});
      return answer as ResponseOf<ServiceMethods[N][M]>;
    },
    async *stream<M extends Method>(
      method: M,
      request: RequestOf<ServiceMethods[N][M]>,
      options?: CallOptions,
    ) {
      const definition = await load(method);
      const messages = callStream(connection, { definition, request }, options ?? {});
      yield* messages as AsyncIterable<ResponseOf<ServiceMethods[N][M]>>;
    },
    async openBlobCall(method) {
      const { path, requestSerialize: encode, responseDeserialize } = await load(method);
      const codec = { encode, decode: (bytes: Buffer) => responseDeserialize(bytes) as never };
      return { call: connection.blobs.open(path, connection.scope), codec };
    },
    toError: (error) => toEngineError(error, connection.callee),
  };
}

interface Call {
  readonly definition: AnyMethod;
  readonly request: unknown;
}

function callUnary(connection: Connection, call: Call, options: CallOptions): Promise<unknown> {
  const { client, callee, metadata } = connection;
  const { path, requestSerialize, responseDeserialize } = call.definition;
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new EngineError('Cancelled', 'cancelled', { cause: signal.reason }));
      return;
    }
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    const onAbort = (): void => pending.cancel();
    const pending = client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      call.request,
      metadata,
      deadline,
      (error, answer) => {
        signal?.removeEventListener('abort', onAbort);
        if (error) reject(toEngineError(error, callee));
        else resolve(answer);
      },
    );
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

async function* callStream(
  connection: Connection,
  call: Call,
  { signal }: CallOptions,
): AsyncGenerator<unknown, void> {
  const { client, callee, metadata } = connection;
  const { path, requestSerialize, responseDeserialize } = call.definition;
  if (signal?.aborted) throw new EngineError('Cancelled', 'cancelled', { cause: signal.reason });
  const stream = client.makeServerStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    call.request,
    metadata,
  );
  const onAbort = (): void => stream.cancel();
  // The cancellation below is reported as an error after the iteration has let go of the stream.
  stream.on('error', () => undefined);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const message of stream) yield message;
  } catch (error) {
    throw toEngineError(error, callee);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stream.cancel();
  }
}
