import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Duplex } from 'node:stream';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import type { BytesMessage, BytesMessageInput } from '../../src/buildkit/generated/filesend.ts';
import type { Packet, PacketInput, Stat } from '../../src/buildkit/generated/filesync.ts';
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
  /** Stands still for ever: when names of files are asked for, when their bytes are, or when it is given the result. */
  readonly holds?: 'names' | 'bytes' | 'result';
  /** Says a wrong length for files, as when they grow while they are read. */
  readonly sizeError?: number;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Names of SSH agents; what is said to one comes back in capitals, after its name. */
  readonly agents?: readonly string[];
  /** A context as a tar, at the path `/upload-1`. */
  readonly upload?: Buffer;
  /** Takes the result in this form. */
  readonly takes?: 'directory' | 'archive';
  readonly logins?: Readonly<Record<string, { readonly Username: string; readonly Secret: string }>>;
}

/** A file that a build client was given; `mode` as Go has it. */
export interface TakenFile {
  readonly path: string;
  readonly mode: number;
  readonly linkname: string;
  readonly chunks: Buffer[];
}

/** The part of buildx that berth speaks with: a caller of the control API, and the server of a session. */
export interface FakeBuildClient {
  readonly control: SessionCalls;
  /** Metadata of the file transfers that were asked for. */
  readonly asked: readonly Readonly<Record<string, unknown>>[];
  /** The result as it came: an archive's bytes, or a directory's files in their order. */
  readonly taken: { readonly archive: readonly Buffer[]; readonly files: readonly TakenFile[] };
  /** Leaves: both connections are cut, or one of them. */
  leave(which?: 'control' | 'session'): void;
}

function sendFiles(call: ServerDuplexStream<Packet, PacketInput>, offer: Offer): void {
  const files = offer.files ?? [];
  // The Dockerfile and the ignore file, each by its name, are looked for first.
  const isContext = call.metadata.get('include-patterns').length === 0;
  if (isContext && offer.holds === 'names') return;
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
    // As fsutil: the call is over when both have said that they have all.
    if (type === 'PACKET_FIN') {
      call.write({ type: 'PACKET_FIN' });
      call.end();
    }
    if (type !== 'PACKET_REQ' || (isContext && offer.holds === 'bytes')) return;
    const bytes = files[id]?.bytes ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.length; at += 32_768)
      call.write({ type: 'PACKET_DATA', ID: id, data: bytes.subarray(at, at + 32_768) });
    call.write({ type: 'PACKET_DATA', ID: id });
  });
  call.on('end', () => {
    call.end();
  });
}

const GO_TYPES = [2 ** 31, 2 ** 27, 2 ** 26, 2 ** 25];

// As fsutil does: what is told is asked for at once, and waited for together.
function takeFiles(call: ServerDuplexStream<Packet, PacketInput>, files: TakenFile[]): void {
  let wanted = 0;
  let isTold = false;
  const takeStat = ({ path, mode, linkname }: Stat): void => {
    if (!GO_TYPES.some((bit) => Math.floor(mode / bit) % 2 === 1)) {
      wanted += 1;
      call.write({ type: 'PACKET_REQ', ID: files.length });
    }
    files.push({ path, mode, linkname, chunks: [] });
  };
  call.on('data', ({ type, ID: id, stat, data }: Packet) => {
    if (type === 'PACKET_FIN') {
      call.end();
      return;
    }
    if (type === 'PACKET_DATA' && data.length > 0) files[id]?.chunks.push(Buffer.from(data));
    else if (type === 'PACKET_DATA') wanted -= 1;
    else if (stat) takeStat(stat);
    else isTold = true;
    if (isTold && wanted === 0) call.write({ type: 'PACKET_FIN' });
  });
}

interface Unary {
  readonly request: Readonly<Record<string, string>>;
}
type Callback = (error: object | null, answer?: object) => void;

function agentService(agents: readonly string[]): UntypedServiceImplementation {
  return {
    CheckAgent: ({ request }: Unary, callback: Callback) => {
      const isThere = agents.includes(request['ID'] ?? '');
      callback(isThere ? null : { code: 2, details: 'unset ssh forward key' }, {});
    },
    ForwardAgent: (call: ServerDuplexStream<BytesMessage, BytesMessageInput>) => {
      const [id] = call.metadata.get('buildkit.ssh.id');
      call.on('data', ({ data }: BytesMessage) =>
        call.write({ data: Buffer.from(`${String(id)} ${Buffer.from(data).toString().toUpperCase()}`) }),
      );
      call.on('end', () => {
        call.end();
      });
    },
  };
}

interface PreparedOffer {
  readonly taken: FakeBuildClient['taken'];
  readonly methods: readonly string[];
  readonly serve: (connection: Duplex) => void;
}

async function prepareOffer(
  offer: Offer,
  asked: Readonly<Record<string, unknown>>[],
): Promise<PreparedOffer> {
  const [auth, filesend, filesync, secrets, upload] = await Promise.all([
    loadMethods('auth'),
    loadMethods('filesend'),
    loadMethods('filesync'),
    loadMethods('secrets'),
    loadMethods('upload'),
  ]);
  const ssh = await loadMethods('ssh');
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
  server.addService({ ...ssh }, agentService(offer.agents ?? []));
  const taken = { archive: [] as Buffer[], files: [] as TakenFile[] };
  server.addService(
    { ...upload },
    {
      Pull: (call: ServerDuplexStream<object, { readonly data: Buffer }>) => {
        const [path] = call.metadata.get('urlpath');
        if (path === '/upload-1') call.write({ data: offer.upload ?? Buffer.alloc(0) });
        call.end();
      },
    },
  );
  if (offer.takes === 'archive')
    server.addService(
      { ...filesend },
      {
        DiffCopy: (call: ServerDuplexStream<BytesMessage, BytesMessageInput>) => {
          call.on('data', ({ data }: BytesMessage) => taken.archive.push(Buffer.from(data)));
          call.on('end', () => {
            call.end();
          });
        },
      },
    );
  if (offer.takes === 'directory')
    server.addService(
      { DiffCopy: { ...filesync.DiffCopy, path: filesend.DiffCopy.path } },
      {
        DiffCopy: (call: ServerDuplexStream<Packet, PacketInput>) => {
          if (offer.holds !== 'result') takeFiles(call, taken.files);
        },
      },
    );
  return {
    taken,
    methods: [
      ...(offer.takes ? [filesend.DiffCopy.path] : []),
      upload.Pull.path,
      auth.Credentials.path,
      filesync.DiffCopy.path,
      secrets.GetSecret.path,
      ssh.CheckAgent.path,
      ssh.ForwardAgent.path,
    ],
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
  const { methods, serve, taken } = await prepareOffer(offer, asked);
  const session = await openSession(methods);
  serve(session);
  return {
    control: connectSession(control),
    asked,
    taken,
    leave: (which) => {
      if (which !== 'session') control.destroy();
      if (which !== 'control') session.destroy();
    },
  };
}
