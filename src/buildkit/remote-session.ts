import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Readable, type Duplex } from 'node:stream';
import { EngineError } from '../errors.ts';
import { rawMethod } from './build-session.ts';
import { loadMethods } from './definitions.ts';
import { toRpcError } from './rpc-error.ts';
import { sendFiles } from './send-files.ts';
import { relayCall, servedCall, typedCall } from './served-call.ts';
import type { CallMetadata, StreamingCall } from './session-calls.ts';
import type { RemoteSolve, TreeFile } from './types.ts';

/** What berth offers a builder for one build. */
export interface RemoteOffer {
  /** Full paths of the methods. */
  readonly methods: readonly string[];
  /** Serves them on the connection; answers how to end that. */
  serve(connection: Duplex): () => void;
}

type RawCall = StreamingCall<Uint8Array, Uint8Array>;
type Serve = (call: RawCall, metadata: CallMetadata) => Promise<void>;

const HEALTH = '/grpc.health.v1.Health/Check';
// HealthCheckResponse with the status SERVING.
const IS_HEALTHY = Buffer.from([8, 1]);
const FILES = '/moby.filesync.v1.FileSync/DiffCopy';
const RESULT = '/moby.filesync.v1.FileSend/DiffCopy';
/** What the client is asked itself: its files, logins, secrets and keys. */
const CLIENTS = [
  FILES,
  RESULT,
  '/moby.filesync.v1.Auth/Credentials',
  '/moby.buildkit.secrets.v1.Secrets/GetSecret',
  '/moby.sshforward.v1.SSH/CheckAgent',
  '/moby.sshforward.v1.SSH/ForwardAgent',
];
/** The builder's name for where the Dockerfile is. */
const DEFINITION = 'dockerfile';

/** What of a call's headers is the method's own. */
function metadataOf(call: ServerDuplexStream<Uint8Array, Uint8Array>): CallMetadata {
  const names = Object.keys(call.metadata.getMap()).filter(
    (name) => !/^(?:grpc-|:|user-agent$|content-type$|te$|host$)|-bin$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, call.metadata.get(name).map(String)]));
}

/** Dated now: builders pass over a file that is as long and as old as one that they had by its name. */
function treeOf(definition: RemoteSolve['definition']): readonly TreeFile[] {
  return [...definition].map(([path, bytes]) => ({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: bytes.length,
    mtimeNs: Date.now() * 1e6,
    linkTarget: '',
    major: 0,
    minor: 0,
  }));
}

/** The Dockerfile comes from us, as it was looked at; everything else from the client. */
async function serveFiles({ definition, session }: RemoteSolve): Promise<Serve> {
  const { DiffCopy } = await loadMethods('filesync');
  return async (call, metadata) => {
    if (String(metadata['dir-name']) !== DEFINITION) {
      await relayCall(call, session.openRaw(FILES, metadata));
      return;
    }
    await sendFiles(typedCall(call, DiffCopy), {
      files: Readable.from(treeOf(definition)),
      open: (path) => Promise.resolve(Readable.from([definition.get(path) ?? Buffer.alloc(0)])),
    });
  };
}

/** The image's archive; the builder is told that it is kept when it is. */
async function serveImage({ takeImage }: RemoteSolve): Promise<Serve> {
  const method = (await loadMethods('filesend')).DiffCopy;
  return async (call) => {
    const { messages } = typedCall(call, method);
    await takeImage(
      Readable.from(
        (async function* () {
          for await (const { data } of messages) if (data.length > 0) yield Buffer.from(data);
        })(),
        { objectMode: false },
      ),
    );
    call.end();
  };
}

function serveHealth(): Serve {
  return async (call) => {
    await call.sendPaced(IS_HEALTHY);
    call.end();
  };
}

/** What a builder may ask for while it carries the build out. */
export async function offerFor(asked: RemoteSolve): Promise<RemoteOffer> {
  const { session, exporter } = asked;
  const served = new Map<string, Serve>(
    CLIENTS.filter((path) => session.methods.has(path)).map((path) => [
      path,
      (call, metadata) => relayCall(call, session.openRaw(path, metadata)),
    ]),
  );
  served.set(HEALTH, serveHealth());
  served.set(FILES, await serveFiles(asked));
  if (exporter === 'docker') served.set(RESULT, await serveImage(asked));
  return { methods: [...served.keys()], serve: (to) => serveOn(to, served) };
}

function serveOn(connection: Duplex, served: ReadonlyMap<string, Serve>): () => void {
  const server = new Server();
  const implementation: UntypedServiceImplementation = {};
  for (const [path, serve] of served)
    implementation[path] = (call: ServerDuplexStream<Uint8Array, Uint8Array>) => {
      serve(servedCall(call), metadataOf(call)).catch((error: unknown) => {
        call.emit('error', toRpcError(error));
      });
    };
  server.addService(
    Object.fromEntries([...served.keys()].map((path) => [path, rawMethod(path)])),
    implementation,
  );
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  connection.on('error', () => undefined);
  injector.injectConnection(connection);
  return () => {
    injector.destroy();
    server.forceShutdown();
  };
}

/** Throws where the client does not take what it has asked for. */
export function requireTaker({ session, exporter }: RemoteSolve): void {
  if (exporter !== 'docker' && exporter !== '' && !session.methods.has(RESULT))
    throw new EngineError('NotFound', 'the build client offers no place for the result');
}
