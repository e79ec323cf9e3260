import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { MAX_API_VERSION, MIN_API_VERSION } from '../api/http/api-version.ts';
import { EngineError } from '../errors.ts';
import type { AskedRequest } from './explain.ts';
import { listen } from './listen.ts';

const VERSION = /^(?:\/v([0-9.]+))?(\/.*)$/;
/** Connections of BuildKit's clients, which `DOCKER_BUILDKIT=0` keeps them from. */
const CONNECTIONS = /^\/(?:session|grpc)$/;
/** What the client is told, so that it stops there. */
const RECORDED = 'recorded to be explained';

/**
 * Lets a real Docker client write its request: only it knows what its options mean. It talks to a socket that takes the
 * first one down that would change something and refuses it, so nothing is made. InvalidArgument where it comes to none.
 */
export async function recordRequest(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<AskedRequest> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-explain-'));
  const recorded: AskedRequest[] = [];
  const listener = await listen({
    socketPath: join(directory, 'docker.sock'),
    app: (request, response) => void answer(request, response, recorded),
    mode: 0o600,
  });
  try {
    const env = {
      ...environment,
      DOCKER_HOST: `unix://${join(directory, 'docker.sock')}`,
      DOCKER_CONTEXT: '',
      DOCKER_BUILDKIT: '0',
    };
    const said = await run(command, env);
    const [first] = recorded;
    if (first) return first;
    throw new EngineError(
      'InvalidArgument',
      `${command.join(' ')} asked for nothing that could be explained: ${said.trim()}`,
    );
  } finally {
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  recorded: AskedRequest[],
): Promise<void> {
  const { method = '', url = '' } = request;
  const [, apiVersion, target = ''] = VERSION.exec(url) ?? [];
  const isChange = method !== 'GET' && method !== 'HEAD' && !CONNECTIONS.test(target);
  response.setHeader('Api-Version', MAX_API_VERSION).setHeader('Ostype', 'linux');
  response.setHeader('Content-Type', 'application/json');
  if (isChange) recorded.push({ request: `${method} ${target}`, body: await bodyOf(request), apiVersion });
  else if (answerRead(target, request, response)) return;
  response.statusCode = 400;
  response.end(JSON.stringify({ message: isChange ? RECORDED : `${method} ${url}` }));
}

/** What clients read before they ask: true where it was answered. */
function answerRead(target: string, { method }: IncomingMessage, response: ServerResponse): boolean {
  const [, containerRef] = /^\/containers\/([^/]+)\/json$/.exec(target) ?? [];
  if (target === '/_ping') response.end(method === 'HEAD' ? undefined : 'OK');
  else if (target === '/version')
    response.end(
      JSON.stringify({ ApiVersion: MAX_API_VERSION, MinAPIVersion: MIN_API_VERSION, Os: 'linux' }),
    );
  // An exec is asked for after a look at its container.
  else if (containerRef !== undefined)
    response.end(JSON.stringify({ Id: containerRef, Config: { Tty: false }, State: { Running: true } }));
  else return false;
  return true;
}

/** The body where it is JSON; a context of a build says nothing to the gate. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  if (request.headers['content-type']?.startsWith('application/json') === true) return buffer(request);
  request.resume();
  return Buffer.alloc(0);
}

/** Runs the client to its end; answers what it said. */
function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
    });
    child.once('error', (error) => {
      reject(new EngineError('InvalidArgument', `cannot run ${program}: ${error.message}`, { cause: error }));
    });
    child.once('close', () => {
      resolve(said);
    });
  });
}
