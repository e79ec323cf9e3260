import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { Packet, PacketInput } from '../../src/buildkit/generated/filesync.ts';
import { connectSession, type SessionCalls } from '../../src/buildkit/session-calls.ts';

/** A file that a build client offers; `mode` as Go has it. */
export interface OfferedFile {
  readonly path: string;
  readonly mode?: number;
  readonly bytes?: Buffer;
  readonly linkname?: string;
}

/** What a build client offers in its session. */
export interface Offer {
  readonly files?: readonly OfferedFile[];
  /** Says a wrong length for files, as when they grow while they are read. */
  readonly sizeError?: number;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly logins?: Readonly<Record<string, { readonly Username: string; readonly Secret: string }>>;
}

/** The part of buildx that berth speaks with: a caller of the control API, and the server of a session. */
export interface FakeBuildClient {
  readonly control: SessionCalls;
  /** Metadata of the file transfers that were asked for. */
  readonly asked: readonly Readonly<Record<string, unknown>>[];
  /** Leaves: both connections are cut. */
  leave(): void;
}

function sendFiles(call: ServerDuplexStream<Packet, PacketInput>, offer: Offer): void {
  const files = offer.files ?? [];
  for (const { path, mode = 0o644, bytes = Buffer.alloc(0), linkname = '' } of files)
    call.write({
      type: 'PACKET_STAT',
      stat: {
        path,
        mode,
        linkname,
        size: bytes.length + (offer.sizeError ?? 0),
        modTime: 1_600_000_000_000_000_000,
      },
    });
  call.write({ type: 'PACKET_STAT' });
  call.on('data', ({ type, ID: id }: Packet) => {
    if (type === 'PACKET_FIN') call.write({ type: 'PACKET_FIN' });
    if (type !== 'PACKET_REQ') return;
    const bytes = files[id]?.bytes ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 32_768)
      call.write({ type: 'PACKET_DATA', ID: id, data: bytes.subarray(at, at + 32_768) });
    call.write({ type: 'PACKET_DATA', ID: id });
  });
  call.on('end', () => {
    call.end();
  });
}

interface Unary {
  readonly request: Readonly<Record<string, string>>;
}
type Callback = (error: object | null, answer?: object) => void;

interface PreparedOffer {
  readonly methods: readonly string[];
  readonly serve: (connection: Duplex) => void;
}

async function prepareOffer(
  offer: Offer,
  asked: Readonly<Record<string, unknown>>[],
): Promise<PreparedOffer> {
  const [auth, filesync, secrets] = await Promise.all([
    loadMethods('auth'),
    loadMethods('filesync'),
    loadMethods('secrets'),
  ]);
  const implementation: UntypedServiceImplementation = {
    DiffCopy: (call: ServerDuplexStream<Packet, PacketInput>) => {
      asked.push(call.metadata.getMap());
      sendFiles(call, offer);
    },
    Credentials: ({ request }: Unary, callback: Callback) => {
      callback(null, offer.logins?.[request['Host'] ?? ''] ?? {});
    },
    GetSecret: ({ request }: Unary, callback: Callback) => {
      const secret = offer.secrets?.[request['ID'] ?? ''];
      callback(secret === undefined ? { code: 5, details: 'no such secret' } : null, {
        data: Buffer.from(secret ?? ''),
      });
    },
  };
  const server = new Server();
  server.addService({ ...auth, ...filesync, ...secrets }, implementation);
  return {
    methods: [auth.Credentials.path, filesync.DiffCopy.path, secrets.GetSecret.path],
    serve: (connection) => {
      server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(connection);
    },
  };
}

/** How a build client gets its two connections. */
export interface BuildConnections {
  /** The control API's, which is served. */
  readonly control: Duplex;
  /** Opens the one on which the client serves; it names the methods it has. */
  readonly openSession: (methods: readonly string[]) => Promise<Duplex>;
}

/** Speaks with a daemon as buildx does: one connection for the control API, one for what it offers. */
export async function startBuildClient(
  { control, openSession }: BuildConnections,
  offer: Offer,
): Promise<FakeBuildClient> {
  const asked: Readonly<Record<string, unknown>>[] = [];
  const { methods, serve } = await prepareOffer(offer, asked);
  const session = await openSession(methods);
  serve(session);
  return {
    control: connectSession(control),
    asked,
    leave: () => {
      control.destroy();
      session.destroy();
    },
  };
}
