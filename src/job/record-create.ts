import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { MAX_API_VERSION, MIN_API_VERSION } from '../api/http/api-version.ts';
import { EngineError } from '../errors.ts';
import type { AskedCreate } from './explain.ts';
import { listen } from './listen.ts';

const CREATE = /^(?:\/v([0-9.]+))?\/containers\/create(?:\?|$)/;
/** What the client is told, so that it stops there. */
const RECORDED = 'recorded to be explained';

/**
 * Lets a real Docker client write its create request: only it knows what its options mean. It talks to a socket that
 * takes the request down and refuses it, so nothing is made. InvalidArgument where it never comes to a create.
 */
export async function recordCreate(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<AskedCreate> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-explain-'));
  const recorded: AskedCreate[] = [];
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
    };
    const said = await run(command, env);
    const [create] = recorded;
    if (create) return create;
    throw new EngineError('InvalidArgument', `${command.join(' ')} asked for no container: ${said.trim()}`);
  } finally {
    await listener.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  recorded: AskedCreate[],
): Promise<void> {
  const { method, url = '' } = request;
  const [isCreate, apiVersion] = (method === 'POST' ? CREATE.exec(url) : undefined) ?? [];
  response.setHeader('Api-Version', MAX_API_VERSION).setHeader('Ostype', 'linux');
  response.setHeader('Content-Type', 'application/json');
  if (isCreate !== undefined) recorded.push({ body: await buffer(request), apiVersion });
  else if (url.endsWith('/_ping')) {
    response.end(method === 'HEAD' ? undefined : 'OK');
    return;
  } else if (url.endsWith('/version')) {
    response.end(
      JSON.stringify({ ApiVersion: MAX_API_VERSION, MinAPIVersion: MIN_API_VERSION, Os: 'linux' }),
    );
    return;
  }
  response.statusCode = 400;
  response.end(JSON.stringify({ message: isCreate === undefined ? `${String(method)} ${url}` : RECORDED }));
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
