import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import { startBuildClient, type FakeBuildClient, type Offer } from './build-client.ts';

/** A build on its way, as buildx's docker driver asks for one: two connections, one to call and one to be called on. */
export interface DoorBuild {
  readonly client: FakeBuildClient;
  /** What the exporter says. */
  readonly answer: Promise<Readonly<Record<string, string>>>;
  readonly ref: string;
}

/** Opens a connection that the daemon hands over. */
export function upgrade(
  socketPath: string,
  path: string,
  headers: Readonly<Record<string, string | string[]>> = {},
): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method: 'POST',
      path,
      headers: { Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': '0', ...headers },
    });
    asked.once('upgrade', (_response, socket, head) => {
      // The daemon speaks first on both connections: its words may have come with its answer.
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.once('response', (response) => {
      reject(new Error(`${path} answered ${response.statusCode ?? 0}`));
    });
    asked.once('error', reject).end();
  });
}

/** Begins a build of the frontend for Dockerfiles at a daemon's socket. */
export async function startDoorBuild(
  socketPath: string,
  offer: Offer,
  asked: Readonly<Record<string, unknown>>,
): Promise<DoorBuild> {
  const id = String(Math.random()).slice(2);
  const [session, ref] = [`session-${id}`, `build-${id}`];
  const control = await upgrade(socketPath, '/grpc');
  const openSession = (methods: readonly string[]): Promise<Duplex> =>
    upgrade(socketPath, '/session', {
      'X-Docker-Expose-Session-Uuid': session,
      'X-Docker-Expose-Session-Name': 'test',
      'X-Docker-Expose-Session-Grpc-Method': [...methods],
    });
  const client = await startBuildClient({ control, openSession }, offer);
  const { Solve } = await loadMethods('control');
  const wanted = { Ref: ref, Session: session, Frontend: 'dockerfile.v0', Exporter: 'moby', ...asked };
  const answer = client.control.unary(Solve, wanted).then(({ ExporterResponse }) => ExporterResponse);
  // It may fail before a test looks.
  answer.catch(() => undefined);
  return { client, answer, ref };
}

/** What the steps of a build print, to its end. */
export async function logOf({ client: { control }, ref }: DoorBuild): Promise<string> {
  const { Status } = await loadMethods('control');
  const call = control.open(Status, {});
  call.send({ Ref: ref });
  call.end();
  let text = '';
  for await (const { logs } of call.messages) for (const { msg } of logs) text += Buffer.from(msg).toString();
  return text;
}

/** The steps that a build has ended, to its end. */
export async function stepsOf({
  client: { control },
  ref,
}: DoorBuild): Promise<readonly { readonly name: string; readonly cached: boolean }[]> {
  const { Status } = await loadMethods('control');
  const call = control.open(Status, {});
  call.send({ Ref: ref });
  call.end();
  const steps: { readonly name: string; readonly cached: boolean }[] = [];
  for await (const { vertexes } of call.messages)
    for (const { name, cached, completed } of vertexes) if (completed) steps.push({ name, cached });
  return steps;
}
