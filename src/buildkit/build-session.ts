import type { MethodDefinition } from '@grpc/grpc-js';
import { Readable, type Duplex } from 'node:stream';
import { EngineError, isErrorKind } from '../errors.ts';
import { loadMethods, type BuildkitMethods } from './definitions.ts';
import type { BytesMessage, BytesMessageInput } from './generated/filesend.ts';
import type { SecretsMethods } from './generated/secrets.ts';
import type { SSHMethods } from './generated/ssh.ts';
import { receiveFile, receiveFiles } from './receive-files.ts';
import { sendFiles } from './send-files.ts';
import { connectSession, type CallMetadata, type SessionCalls, type StreamingCall } from './session-calls.ts';
import { joinCall } from './tunnel.ts';
import type { BuildSession, FileSelection, SessionOffer } from './types.ts';

/** Dockerfiles and their ignore files. */
const MAX_SMALL_FILE_BYTES = 1024 * 1024;

const SERVICES = ['auth', 'filesend', 'filesync', 'secrets', 'ssh', 'upload'] as const;

/** A session whose connection is open. */
export interface OpenSession extends BuildSession {
  readonly closed: Promise<void>;
  close(): void;
}

// Metadata is ASCII. Clients since BuildKit 0.13 understand the mark; older ones send no such name either.
function patterns(name: string, values: readonly string[]): CallMetadata {
  if (values.length === 0) return {};
  const isPlain = values.every((value) => /^[\x20-\x7e]*$/.test(value));
  return isPlain ? { [name]: values } : { [name]: values.map(encodeURIComponent), [`${name}-encoded`]: '1' };
}

function metadataOf({ directory, include, exclude }: FileSelection): CallMetadata {
  return {
    'dir-name': directory,
    ...patterns('include-patterns', include),
    ...patterns('exclude-patterns', exclude),
  };
}

async function untilAborted<C extends { cancel(): void }>(
  call: C,
  signal: AbortSignal,
  use: (call: C) => Promise<void>,
): Promise<void> {
  const abort = (): void => {
    call.cancel();
  };
  signal.addEventListener('abort', abort);
  try {
    if (signal.aborted) abort();
    await use(call);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A method that streams both ways (the wire is the same for others), whose messages nobody looks into. */
export function rawMethod(path: string): MethodDefinition<Uint8Array, Uint8Array> {
  const pass = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
}

type ByteCall = StreamingCall<BytesMessageInput, BytesMessage>;

function receiveUpload(call: ByteCall, signal: AbortSignal): Readable {
  call.end();
  const bytes = Readable.from(bytesOf(call), { objectMode: false, signal });
  bytes.once('close', () => {
    if (!bytes.readableEnded) call.cancel();
  });
  return bytes;
}

async function* bytesOf({ messages }: ByteCall): AsyncGenerator<Uint8Array, void> {
  for await (const { data } of messages) if (data.length > 0) yield data;
}

async function sendArchive(call: ByteCall, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const data of bytes) await call.sendPaced({ data });
    call.end();
    // The client closes its file before it answers.
    for await (const answer of call.messages) if (answer.data.length > 0) break;
  } catch (error) {
    call.cancel();
    throw error;
  }
}

async function readSecret(
  calls: SessionCalls,
  method: SecretsMethods['GetSecret'],
  id: string,
): Promise<Uint8Array> {
  try {
    return (await calls.unary(method, { ID: id })).data;
  } catch (error) {
    if (isErrorKind(error, 'NotFound'))
      throw new EngineError('NotFound', `secret ${id}: not found`, { cause: error });
    throw error;
  }
}

/** The client says why it has none: that is for its log. */
async function hasAgent(calls: SessionCalls, { CheckAgent }: SSHMethods, id: string): Promise<boolean> {
  try {
    await calls.unary(CheckAgent, { ID: id });
    return true;
  } catch (error) {
    if (isErrorKind(error, 'Cancelled')) throw error;
    return false;
  }
}

async function loadAll(): Promise<Pick<BuildkitMethods, (typeof SERVICES)[number]>> {
  const all = await Promise.all(SERVICES.map(async (name) => [name, await loadMethods(name)] as const));
  return Object.fromEntries(all) as unknown as BuildkitMethods;
}

/** Starts to speak with a client that has offered a session. */
export async function openSession(connection: Duplex, { id, methods }: SessionOffer): Promise<OpenSession> {
  const { auth, filesend, filesync, secrets, ssh, upload } = await loadAll();
  const calls = connectSession(connection);
  const offered = new Set(methods.map((name) => (name.startsWith('/') ? name : `/${name}`)));
  const require = (path: string, what: string): void => {
    if (!offered.has(path)) throw new EngineError('NotFound', `the build client offers no ${what}`);
  };
  return {
    id,
    methods: offered,
    openRaw(path, metadata) {
      require(path, path);
      return calls.open(rawMethod(path), metadata);
    },
    openFiles(selection, signal) {
      require(filesync.DiffCopy.path, 'files');
      return receiveFiles(calls.open(filesync.DiffCopy, metadataOf(selection)), signal);
    },
    openUpload(path, signal) {
      require(upload.Pull.path, 'upload');
      return receiveUpload(calls.open(upload.Pull, { urlpath: path }), signal);
    },
    async readFile(directory, paths) {
      require(filesync.DiffCopy.path, 'files');
      const metadata = metadataOf({ directory, include: paths, exclude: [] });
      return receiveFile(calls.open(filesync.DiffCopy, metadata), paths, MAX_SMALL_FILE_BYTES);
    },
    async sendFiles(tree, signal) {
      require(filesend.DiffCopy.path, 'directory for the result');
      // The same path carries files as packets and an archive as bytes.
      const method = { ...filesync.DiffCopy, path: filesend.DiffCopy.path };
      await untilAborted(calls.open(method, {}), signal, (call) => sendFiles(call, tree));
    },
    async sendArchive(bytes, signal) {
      require(filesend.DiffCopy.path, 'file for the result');
      await untilAborted(calls.open(filesend.DiffCopy, {}), signal, (call) => sendArchive(call, bytes));
    },
    async findCredentials(host) {
      if (!offered.has(auth.Credentials.path)) return undefined;
      const { Username: username, Secret: secret } = await calls.unary(auth.Credentials, { Host: host });
      return username === '' && secret === '' ? undefined : { username, secret };
    },
    async readSecret(secretId) {
      require(secrets.GetSecret.path, 'secrets');
      return await readSecret(calls, secrets.GetSecret, secretId);
    },
    hasAgent: async (agentId) => offered.has(ssh.CheckAgent.path) && hasAgent(calls, ssh, agentId),
    joinAgent(agentId, connection) {
      joinCall(calls.open(ssh.ForwardAgent, { 'buildkit.ssh.id': agentId }), connection);
    },
    closed: calls.closed,
    close: () => {
      calls.close();
    },
  };
}
