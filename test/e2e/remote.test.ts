import { readdir, readFile, stat } from 'node:fs/promises';
import { request, type RequestOptions } from 'node:https';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectedPair } from '../../src/buildkit/connected-pair.ts';
import { loadMethods } from '../../src/buildkit/definitions.ts';
import { startBuildClient, type FakeBuildClient } from '../support/build-client.ts';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
} from '../support/e2e-berth.ts';
import { runCommand, type CommandResult } from '../support/e2e-process.ts';
import { dockerArchive } from '../support/image-builder-archives.ts';
import { buildImage, packTar } from '../support/image-builder.ts';

// Remote mode: the same API over the network, for whoever has the job's client certificate, and for nobody else.

const directories = await makeDirectories();
const envFile = join(directories.home, 'job.env');
let berth: Berth;
showLogsOnFailure(() => [berth]);

beforeAll(async () => {
  const args = ['--listen', 'tcp://127.0.0.1:0', '--env-file', envFile, '--env-format', 'gitlab'];
  berth = await startBerth({ directories, args });
  const image = await buildImage({ cmd: ['sh'] });
  const loaded = await docker(['load'], await dockerArchive([{ image, tags: ['busybox:latest'] }]));
  expect(loaded.code, loaded.stderr).toBe(0);
});

afterAll(async () => {
  const end = await berth.stop();
  expect(end).toMatchObject({ code: 0, report: { leaks: [] } });
  await removeDirectories(directories);
});

/** The CLI with what the environment contract says, and nothing else. */
function docker(args: readonly string[], input?: string | Buffer): Promise<CommandResult> {
  return runCommand({
    program: 'docker',
    args,
    env: { ...berth.clientEnv, ...berth.ready.env },
    ...(input === undefined ? {} : { input }),
  });
}

async function certificates(): Promise<RequestOptions> {
  const directory = berth.ready.env['DOCKER_CERT_PATH'] ?? '';
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(directory, name))),
  );
  return { ca, cert, key };
}

function address(): Pick<RequestOptions, 'host' | 'port' | 'servername'> {
  const { hostname: host, port } = new URL((berth.ready.env['DOCKER_HOST'] ?? '').replace('tcp:', 'https:'));
  // The name in a Host header is not what the certificate is checked for.
  return { host, port, servername: '' };
}

/** Node's own HTTP/2 does not take a TLS socket whose handshake has not named it. */
async function behindPlainSocket(socket: Duplex): Promise<Duplex> {
  const [near, far] = await connectedPair(directories.home);
  socket.pipe(far).pipe(socket);
  socket.on('error', () => far.destroy()).once('close', () => far.destroy());
  far.on('error', () => socket.destroy()).once('close', () => socket.destroy());
  return near;
}

/** A connection taken over as buildx does it. */
async function upgrade(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Duplex> {
  const asked = request({
    ...(await certificates()),
    ...address(),
    ...{ agent: false, method: 'POST', path },
    // As Docker's own client has it here.
    setHost: false,
    headers: { Host: '', Connection: 'Upgrade', Upgrade: 'h2c', 'Content-Length': '0', ...headers },
  });
  return new Promise((settle, fail) => {
    asked.once('upgrade', (_response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      settle(behindPlainSocket(socket));
    });
    asked.once('error', fail).end();
  });
}

async function status(options: RequestOptions): Promise<number | undefined> {
  return new Promise((settle, fail) => {
    const sent = request({ ...address(), path: '/version', agent: false, ...options });
    sent.once('response', (response) => {
      response.resume();
      settle(response.statusCode);
    });
    sent.once('error', fail);
    sent.end();
  });
}

test('says where and how, in the ready line and in the file', async () => {
  const { env } = berth.ready;
  expect(env).toMatchObject({
    DOCKER_HOST: /^tcp:\/\/127\.0\.0\.1:\d+$/.exec(env['DOCKER_HOST'] ?? '')?.[0],
    DOCKER_TLS_VERIFY: '1',
  });
  const lines = (await readFile(envFile, 'utf8')).trimEnd().split('\n');
  expect(lines).toEqual(Object.entries(env).map(([name, value]) => `${name}=${value}`));
});

test('keeps every file to root', async () => {
  const directory = dirname(berth.ready.env['DOCKER_CERT_PATH'] ?? '');
  const names = await readdir(directory, { recursive: true });
  expect(names.filter((name) => name.endsWith('key.pem')).sort()).toEqual([
    'client/key.pem',
    'server-key.pem',
  ]);
  for (const name of ['.', 'client', 'client/key.pem', 'server-key.pem'])
    expect((await stat(join(directory, name))).mode & 0o077, name).toBe(0);
});

describe('the docker CLI', () => {
  test('run: output, errors and the exit code', async () => {
    const { code, stdout, stderr } = await docker([
      'run',
      '--rm',
      'busybox',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 7',
    ]);
    expect([code, stdout, stderr]).toEqual([7, 'out\n', 'err\n']);
  });

  test('run -i: all of stdin, and its end', async () => {
    const input = 'x'.repeat(3_000_000);
    const { stdout } = await docker(['run', '--rm', '-i', 'busybox', 'wc', '-c'], input);
    expect(stdout.trim()).toBe('3000000');
  });

  test('attach, exec -i, cp and logs', async () => {
    await docker(['run', '-di', '--name', 'far', 'busybox', 'sleep', '1000']);
    const exec = await docker(['exec', '-i', 'far', 'cat'], 'through and through');
    expect(exec.stdout).toBe('through and through');
    const tar = await packTar([{ path: 'in', type: 'file', content: 'copied' }]);
    expect((await docker(['cp', '-', 'far:/tmp'], tar)).code).toBe(0);
    expect((await docker(['exec', 'far', 'cat', '/tmp/in'])).stdout).toBe('copied');
    expect((await docker(['cp', 'far:/tmp/in', '-'])).stdout).toContain('copied');
    await docker(['create', '-i', '--name', 'read', 'busybox', 'sh', '-c', 'read line; echo got $line']);
    const attached = await docker(['start', '-ai', 'read'], 'typed\n');
    expect([attached.code, attached.stdout]).toEqual([0, 'got typed\n']);
    expect((await docker(['logs', 'read'])).stdout).toBe('got typed\n');
    await docker(['rm', '-f', 'far', 'read']);
  });
});

async function connectBuilder(dockerfile: string): Promise<FakeBuildClient> {
  const openSession = (methods: readonly string[]): Promise<Duplex> =>
    upgrade('/session', {
      'X-Docker-Expose-Session-Uuid': 'far',
      'X-Docker-Expose-Session-Grpc-Method': methods.join(','),
    });
  const control = await upgrade('/grpc');
  return startBuildClient(
    { control, openSession },
    { files: [{ path: 'Dockerfile', bytes: Buffer.from(dockerfile) }] },
  );
}

async function build({ control }: FakeBuildClient): Promise<void> {
  const { Solve } = await loadMethods('control');
  await control.unary(Solve, {
    ...{ Ref: 'far', Session: 'far', Frontend: 'dockerfile.v0', Exporter: 'moby' },
    ExporterAttrs: { name: 'far' },
  });
}

describe("BuildKit's door", () => {
  test('a build through two connections that are taken over', async () => {
    const client = await connectBuilder('FROM busybox\nCMD ["echo", "built far"]');
    try {
      await build(client);
    } finally {
      client.leave();
    }
    expect((await docker(['run', '--rm', 'far'])).stdout).toBe('built far\n');
  });

  test('a client that leaves takes its build with it', async () => {
    const state = join(directories.root, 'jobs', berth.ready.job);
    const client = await connectBuilder('FROM busybox\nRUN ["sleep", "1000"]');
    const ended = expect(build(client)).rejects.toThrow();
    await expect.poll(() => readdir(join(state, 'containers')), { timeout: 30_000 }).toHaveLength(1);
    client.leave();
    await ended;
    const left = async (): Promise<readonly string[]> => [
      ...(await readdir(join(state, 'containers'))),
      ...(await readdir(state)).filter((name) => name.startsWith('build-')),
    ];
    await expect.poll(left, { timeout: 30_000 }).toEqual([]);
  });
});

describe('refuses', () => {
  test('who has no certificate', async () => {
    const { ca } = await certificates();
    await expect(status({ ca })).rejects.toThrow(/certificate required|ECONNRESET|socket hang up|alert/);
    const { code, stderr } = await runCommand({
      program: 'docker',
      args: ['--tlscacert', join(berth.ready.env['DOCKER_CERT_PATH'] ?? '', 'ca.pem'), 'version'],
      env: { ...berth.clientEnv, DOCKER_HOST: berth.ready.env['DOCKER_HOST'] ?? '', DOCKER_TLS_VERIFY: '1' },
    });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/certificate|tls/)]);
  });

  test('the certificate of another job', async () => {
    const other = await startBerth({ args: ['--listen', 'tcp://127.0.0.1:0'] });
    const directory = other.ready.env['DOCKER_CERT_PATH'] ?? '';
    const [cert, key] = await Promise.all(
      ['cert.pem', 'key.pem'].map((name) => readFile(join(directory, name))),
    );
    await other.stop();
    const { ca } = await certificates();
    await expect(status({ ca, cert, key })).rejects.toThrow();
    // As a server, a client's certificate is none.
    expect(await status(await certificates())).toBe(200);
  });

  test('plain HTTP', async () => {
    const url = (berth.ready.env['DOCKER_HOST'] ?? '').replace('tcp:', 'http:');
    await expect(fetch(`${url}/_ping`)).rejects.toThrow();
  });

  test.each([
    { Origin: 'https://example.test' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { Host: 'rebound.example.test:2376' },
  ])('web pages, by %j', async (headers) => {
    for (const path of ['/version', '/_ping', '/containers/x/attach'])
      expect(await status({ ...(await certificates()), headers, path }), path).toBe(403);
  });
});
