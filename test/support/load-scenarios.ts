import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { textOf } from './api-client.ts';
import type { Berth } from './e2e-berth.ts';
import { formatRequest, openRaw, rawHttp, type RawConnection, type RawResponse } from './raw-http.ts';

// What many clients do at once, and what must be true afterwards. The tests run them small, scripts/soak large.

const TIMEOUT_MS = 300_000;
const ANONYMOUS = { 'X-Registry-Auth': 'e30=' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** One request to the job's Docker socket. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: object | Buffer;
}

function bytesOf({ method, path, body }: LoadRequest): Buffer {
  if (body === undefined) return formatRequest({ method, path });
  if (Buffer.isBuffer(body))
    return formatRequest({ method, path, headers: { 'Content-Type': 'application/x-tar' }, body });
  return formatRequest({ method, path, headers: JSON_TYPE, body: JSON.stringify(body) });
}

/** Sends it and answers the whole response, whatever its status. */
export function request(berth: Berth, asked: LoadRequest, timeoutMs = TIMEOUT_MS): Promise<RawResponse> {
  const options = { method: asked.method, timeoutMs };
  return rawHttp(berth.ready.socket, bytesOf(asked), options);
}

/** As `request`, and reads the answer as JSON; a status from 400 on is an error. */
export async function call<T>(berth: Berth, asked: LoadRequest, timeoutMs = TIMEOUT_MS): Promise<T> {
  const { status, body } = await request(berth, asked, timeoutMs);
  const text = body.toString('utf8').trim();
  if (status >= 400) throw new Error(`${asked.method} ${asked.path}: ${status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Makes and starts a container of busybox; answers its id. */
export async function startContainer(berth: Berth, script: string): Promise<string> {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script] };
  const { Id: id } = await call<{ Id: string }>(berth, { method: 'POST', path: '/containers/create', body });
  await call(berth, { method: 'POST', path: `/containers/${id}/start` });
  return id;
}

/** Removes a container, running or not. */
export async function removeContainer(berth: Berth, id: string): Promise<void> {
  await call(berth, { method: 'DELETE', path: `/containers/${id}?force=1&v=1` });
}

/** Waits for a container's end and answers its exit code. */
export async function exitCodeOf(berth: Berth, id: string, timeoutMs = TIMEOUT_MS): Promise<number> {
  const path = `/containers/${id}/wait`;
  return (await call<{ StatusCode: number }>(berth, { method: 'POST', path }, timeoutMs)).StatusCode;
}

/** What a container has written to stdout. */
export async function outputOf(berth: Berth, id: string, query = ''): Promise<string> {
  const path = `/containers/${id}/logs?stdout=1${query}`;
  return textOf((await request(berth, { method: 'GET', path })).body, 'stdout');
}

/** Containers all at once; answers those whose output or exit code is not their own. */
export async function runContainers(berth: Berth, count: number): Promise<readonly string[]> {
  const run = async (index: number): Promise<string[]> => {
    const id = await startContainer(berth, `echo container ${index}; exit ${index % 50}`);
    const code = await exitCodeOf(berth, id);
    const output = await outputOf(berth, id);
    await removeContainer(berth, id);
    const isRight = code === index % 50 && output === `container ${index}\n`;
    return isRight ? [] : [`${index}: exit ${code}, ${JSON.stringify(output)}`];
  };
  return (await Promise.all(Array.from({ length: count }, (_, index) => run(index)))).flat();
}

/** Execs in one container, so many at a time; answers those whose output or exit code is not their own. */
export async function runExecs(
  berth: Berth,
  { total, atOnce }: { readonly total: number; readonly atOnce: number },
): Promise<readonly string[]> {
  const container = await startContainer(berth, 'sleep 100000');
  const wrong: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < total; index = next++) {
      const said = await runExec(berth, container, `echo exec ${index}; exit ${index % 50}`);
      if (said !== `${index % 50} exec ${index}\n`) wrong.push(`${index}: ${JSON.stringify(said)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await removeContainer(berth, container);
  return wrong;
}

/** Answers the exit code and the output. */
async function runExec(berth: Berth, container: string, script: string): Promise<string> {
  const body = { Cmd: ['sh', '-c', script], AttachStdout: true };
  const path = `/containers/${container}/exec`;
  const { Id: id } = await call<{ Id: string }>(berth, { method: 'POST', path, body });
  const stream = await openStream(berth, { method: 'POST', path: `/exec/${id}/start`, body: {} });
  const output = textOf(await stream.readToEnd(), 'stdout');
  stream.close();
  const { ExitCode: code } = await call<{ ExitCode: number }>(berth, {
    method: 'GET',
    path: `/exec/${id}/json`,
  });
  return `${code} ${output}`;
}

/** Sends a request whose answer is a stream, and reads its head. */
export async function openStream(berth: Berth, asked: LoadRequest): Promise<RawConnection> {
  const connection = await openRaw(berth.ready.socket, TIMEOUT_MS);
  connection.send(bytesOf(asked));
  const { status } = await connection.readHead();
  if (status >= 400) throw new Error(`${asked.method} ${asked.path}: ${status}`);
  return connection;
}

/** Followers of one container's output; answers how many have not got every line. */
export async function followLogs(
  berth: Berth,
  { followers, lines }: { readonly followers: number; readonly lines: number },
): Promise<number> {
  const id = await startContainer(berth, `sleep 1; seq 1 ${lines}`);
  const follow = async (): Promise<boolean> => {
    const path = `/containers/${id}/logs?stdout=1&follow=1`;
    const { body } = await request(berth, { method: 'GET', path });
    return textOf(body, 'stdout').trimEnd().split('\n').length === lines;
  };
  const all = await Promise.all(Array.from({ length: followers }, follow));
  await removeContainer(berth, id);
  return all.filter((isWhole) => !isWhole).length;
}

/** A registry that takes requests and never answers: whoever asks it is in the middle of a pull or a push. */
async function startSilentRegistry(): Promise<{
  readonly host: string;
  nextRequest(): Promise<unknown>;
  stop(): Promise<void>;
}> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => server.emit('asked'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${String(port)}`,
    nextRequest: () => once(server, 'asked'),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Clients that leave in the middle of every kind of stream, so many of each. */
export async function vanish(berth: Berth, times: number): Promise<void> {
  const id = await startContainer(berth, 'while :; do echo line; done');
  const archive = Buffer.alloc(1 << 20);
  const path = (verb: string): string => `/containers/${id}/${verb}`;
  const exec = async (): Promise<LoadRequest> => {
    const body = { Cmd: ['yes'], AttachStdout: true };
    const { Id: execId } = await call<{ Id: string }>(berth, { method: 'POST', path: path('exec'), body });
    return { method: 'POST', path: `/exec/${execId}/start`, body: {} };
  };
  const answered: readonly (() => Promise<LoadRequest> | LoadRequest)[] = [
    () => ({ method: 'POST', path: path('attach?stream=1&stdout=1&stdin=1') }),
    () => ({ method: 'GET', path: path('logs?stdout=1&follow=1') }),
    () => ({ method: 'GET', path: '/events' }),
    () => ({ method: 'GET', path: path('stats') }),
    () => ({ method: 'GET', path: path('archive?path=/bin') }),
    () => ({ method: 'GET', path: path('export') }),
    () => ({ method: 'GET', path: '/images/busybox/get' }),
    exec,
  ];
  const registry = await startSilentRegistry();
  await call(berth, { method: 'POST', path: `/images/busybox/tag?repo=${registry.host}/x&tag=1` });
  for (let time = 0; time < times; time += 1) {
    await Promise.all(
      answered.map(async (make) => {
        const stream = await openStream(berth, await make());
        stream.close();
      }),
    );
    await Promise.all(
      [path('archive?path=/tmp'), '/images/load', '/build'].map(async (target) => {
        const connection = await openRaw(berth.ready.socket, TIMEOUT_MS);
        const method = target.startsWith('/containers') ? 'PUT' : 'POST';
        const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': '10000000' };
        connection.send(formatRequest({ method, path: target, headers }));
        connection.send(archive);
        connection.close();
      }),
    );
    await Promise.all(
      [`/images/create?fromImage=${registry.host}/y&tag=1`, `/images/${registry.host}/x/push?tag=1`].map(
        async (target) => {
          const connection = await openRaw(berth.ready.socket, TIMEOUT_MS);
          const asked = registry.nextRequest();
          connection.send(formatRequest({ method: 'POST', path: target, headers: ANONYMOUS, body: '' }));
          await asked;
          connection.close();
        },
      ),
    );
  }
  await registry.stop();
  await call(berth, { method: 'DELETE', path: `/images/${registry.host}/x:1` });
  await removeContainer(berth, id);
}

/** What a process holds, and the most memory that it ever held. */
export interface Footprint {
  readonly files: number;
  readonly rssMb: number;
  readonly peakMb: number;
}

/** What berth's process holds. */
export async function footprintOf(berth: Berth): Promise<Footprint> {
  const [files, status] = await Promise.all([
    readdir(`/proc/${berth.pid}/fd`),
    readFile(`/proc/${berth.pid}/status`, 'utf8'),
  ]);
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024;
  return { files: files.length, rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') };
}
