import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type MethodDefinition,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';

/** What containerd calls the snapshotter; as long as `overlayfs`, so that a request is renamed in its place. */
export const PROXIED_SNAPSHOTTER = 'elsewhere';

const SERVICE = 'containerd.services.snapshots.v1.Snapshots';
const UNARY = ['Prepare', 'View', 'Mounts', 'Commit', 'Remove', 'Stat', 'Update', 'Usage'];
// Field 1 of every request, before the name's bytes.
const NAME_OFFSET = 2;

type Method = MethodDefinition<Buffer, Buffer>;

/** A snapshotter outside of containerd, as lazy-pulling ones are: it serves the overlayfs of another containerd. */
export async function serveProxiedSnapshotter(
  socket: string,
  other: { readonly address: string; readonly namespace: string; readonly leaseId: string },
): Promise<() => void> {
  const client = new Client(`unix://${other.address}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('containerd-namespace', other.namespace);
  metadata.set('containerd-lease', other.leaseId);
  const unary =
    (method: Method) => (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const { path, requestSerialize, responseDeserialize } = method;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        renamed(call.request),
        metadata,
        answer,
      );
    };
  const list = (method: Method) => (call: ServerWritableStream<Buffer, Buffer>) => {
    const { path, requestSerialize, responseDeserialize } = method;
    const { request } = call;
    client
      .makeServerStreamRequest(path, requestSerialize, responseDeserialize, renamed(request), metadata)
      .on('data', (answer: Buffer) => call.write(answer))
      .on('error', (error) => call.destroy(error))
      .on('end', () => {
        call.end();
      });
  };
  const server = new Server();
  const methods = Object.fromEntries([...UNARY, 'List'].map((name) => [name, methodOf(name)]));
  server.addService(
    methods,
    Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [name, name === 'List' ? list(method) : unary(method)]),
    ),
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  return () => {
    server.forceShutdown();
    client.close();
  };
}

function methodOf(name: string): Method {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/${SERVICE}/${name}`,
    requestStream: false,
    responseStream: name === 'List',
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

function renamed(request: Buffer): Buffer {
  const copy = Buffer.from(request);
  copy.write('overlayfs', NAME_OFFSET, 'latin1');
  return copy;
}
