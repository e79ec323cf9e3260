import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { Job } from '../../engine/job.ts';
import type { EngineError } from '../../errors.ts';
import type { EndpointGroup, EndpointVerb } from '../../wire/endpoint-group.ts';
import type { EndpointName, EndpointParameters } from '../../wire/endpoint-parameters.ts';
import type { ApiVersion } from './api-version.ts';
import type { Query } from './query.ts';
import type { MessageType } from './web-socket.ts';

/** Methods that Docker's API knows. */
export type RouteMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

/**
 * What the edge does with a request's body: `none` ignores it, `json` reads it whole (up to `limits.body_bytes`, and only with the right
 * Content-Type) before the handler runs, `stream` leaves it to the handler.
 */
export type RouteBody = 'none' | 'json' | 'stream';

/** Headers of an answer beside those that every answer has. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** Bytes on their way to the client, at the client's pace. */
export interface ByteWriter {
  /**
   * Sends the parts one after the other, without copying; resolves when the system has taken them, so that their
   * buffers may be used again. Cancelled when the client has gone.
   */
  write(...parts: readonly Uint8Array[]): Promise<void>;
  /** No more will come; resolves when all is sent, also when the client has gone. */
  end(): Promise<void>;
}

/** A connection that has stopped to be HTTP: raw bytes both ways. */
export interface HijackedConnection extends ByteWriter {
  /** What the client sends (stdin); ends at its half-close, while output may go on. Read it or the client is held back. */
  readonly input: Readable;
}

/**
 * One request on its way through a handler, and the ways to answer it. Use one of them, once. P are the parameters of
 * its query that can be read: those that the gate has rows for.
 */
export interface RouteContext<P extends string = never> {
  readonly job: Job;
  /** The decoded values of all names in the route's path. */
  readonly params: Readonly<Record<string, string>>;
  /** The decoded value of `:name` or `:name*` in the route's path. */
  param(name: string): string;
  readonly query: Query<P>;
  readonly apiVersion: ApiVersion;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client leaves before its answer is complete; on a hijacked connection, when both ways are closed. */
  readonly signal: AbortSignal;
  /** Of `json` routes: the whole body, checked but not parsed; empty when there is none, and for other routes. */
  readonly body: Uint8Array;
  /** Of `stream` routes: the body as it comes in. */
  readonly stream: Readable;
  /** Answers with a JSON document. */
  json(status: number, value: unknown, headers?: AnswerHeaders): void;
  /** Answers without a body. */
  empty(status: number, headers?: AnswerHeaders): void;
  /** Answers with plain text. */
  text(status: number, value: string, headers?: AnswerHeaders): void;
  /**
   * Answers 200, with a body that follows through the writer. The headers are sent at once, or `with data`: together with
   * the first bytes, for a body that is not waited for.
   */
  openStream(contentType: string, headers?: AnswerHeaders, sent?: 'at once' | 'with data'): ByteWriter;
  /** Takes over the connection of a `hijack` route: 101 where the client asked for an upgrade, else 200. */
  hijack(contentType: string): HijackedConnection;
  /** The same, but with the socket as it is, to be closed by its user. */
  takeOver(contentType: string): Duplex;
  /** The same for a WebSocket client, with a message for each piece; InvalidArgument, unanswered, for any other. */
  acceptWebSocket(type: MessageType): Promise<HijackedConnection>;
}

// In `path`, `:id` is exactly one segment (decoded, so `%2F` in it is a slash); `:name*` is one or more with the
// slashes between them, as in `/images/:name*/json`. The version prefix is not part of it.
interface RouteShape {
  readonly method: RouteMethod;
  readonly path: string;
  /** First API version that has it; older ones see 404 `page not found`. */
  readonly minApiVersion?: ApiVersion;
  readonly body: RouteBody;
  /** True when the handler may call `hijack`; the request then never passes through Node's body parser. */
  readonly hijack?: boolean;
  /** Set where it is never served: what every request is answered. */
  readonly refusal?: (params: Readonly<Record<string, string>>) => EngineError;
  /** What it does to one container, where the operator can close that by itself. */
  readonly verb?: EndpointVerb;
}

/** The context of an endpoint with parameters. */
export type RouteContextOf<E extends EndpointName> = RouteContext<EndpointParameters[E]>;

interface PlainHandling {
  readonly parameters?: never;
  /** Answers, or throws an EngineError before the first byte of the answer. */
  readonly handle: (context: RouteContext) => Promise<void>;
}

/** `parameters` names the gate's table for the query, and so what the handler can read of it. */
type ParameterHandling = {
  [E in EndpointName]: {
    readonly parameters: E;
    readonly handle: (context: RouteContextOf<E>) => Promise<void>;
  };
}[EndpointName];

/** One endpoint, as data, but for the group that it is in. */
export type RouteDefinition = RouteShape & (PlainHandling | ParameterHandling);

/** An endpoint in its group (`inGroup` makes one): without a group there is no switch for it, and it is not served. */
export type Route = RouteDefinition & { readonly group: EndpointGroup };
