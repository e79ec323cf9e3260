import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  makeDirectories,
  removeDirectories,
  showLogsOnFailure,
  startBerth,
  type Berth,
} from '../support/e2e-berth.ts';
import { ask } from '../support/e2e-job.ts';
import { runCommand, type CommandResult } from '../support/e2e-process.ts';
import { startPopularRegistry, type PopularRegistry } from '../support/popular-registry.ts';

// docker-compose 1.29 (python) with images that behave like the popular ones.

const directories = await makeDirectories();
const project = join(directories.home, 'shop');
let registry: PopularRegistry;
let berth: Berth;

const FILE = `
version: '2.4'
services:
  database:
    image: postgres:15
    environment: {POSTGRES_PASSWORD: secret, POSTGRES_DB: shop}
    volumes: ['data:/var/lib/postgresql/data']
    networks: {back: {aliases: [db]}}
    healthcheck:
      test: ['CMD-SHELL', 'psql -U postgres -d shop -h 127.0.0.1 -c "select 1"']
      interval: 300ms
      timeout: 20s
      retries: 200
  cache:
    image: redis:7
    networks: [back]
    healthcheck: {test: ['CMD', 'redis-cli', 'ping'], interval: 300ms, timeout: 20s, retries: 100}
  app:
    image: node:20
    env_file: app.env
    environment:
      PLAIN: "$\{PLAIN_FROM_DOT_ENV}"
    command: ['node', '/app/server.js']
    volumes: ['./app:/app:ro', 'shared:/shared']
    networks: {back: {}, front: {aliases: [shop]}}
    ports: ['5432:8080']
    depends_on:
      database: {condition: service_healthy}
      cache: {condition: service_healthy}
    healthcheck: {test: ['CMD', 'bash', '-c', '</dev/tcp/127.0.0.1/8080'], interval: 300ms, timeout: 20s, retries: 100}
  checker:
    image: alpine
    command: ['wget', '-qO-', 'http://shop:8080/from-checker']
    networks: [front]
    depends_on: {app: {condition: service_healthy}}
  sidecar:
    image: alpine
    command: ['sleep', '1000']
    volumes_from: ['app:ro']
    network_mode: 'service:cache'
networks: {back: {internal: true}, front: {}}
volumes: {data: {}, shared: {labels: {purpose: test}}}
`;

const SERVER = `
const http = require('node:http');
const net = require('node:net');
const ask = (host, port, words) => new Promise((settle, fail) => {
  const socket = net.connect(port, host, () => socket.write(words));
  socket.once('data', (data) => { settle(data.toString()); socket.destroy(); }).once('error', fail);
});
http.createServer(async (request, response) => {
  console.log('asked for ' + request.url);
  const cache = (await ask('cache', 6379, 'PING\\r\\n')).trim();
  // Whether PostgreSQL speaks TLS is what it answers first of all.
  const database = await ask('db', 5432, Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
  response.end([process.env.SECRET, process.env.PLAIN, cache, database].join(' '));
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

function compose(...args: readonly string[]): Promise<CommandResult> {
  return runCommand({
    program: 'docker-compose',
    args: ['--ansi', 'never', ...args],
    cwd: project,
    env: { ...berth.clientEnv, ...berth.ready.env, COMPOSE_HTTP_TIMEOUT: '200' },
    timeoutMs: 200_000,
  });
}

async function composeWell(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await compose(...args);
  expect(code, `docker-compose ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout.trimEnd();
}

beforeAll(async () => {
  await mkdir(join(project, 'app'), { recursive: true });
  await writeFile(join(project, 'docker-compose.yml'), FILE);
  await writeFile(join(project, 'app/server.js'), SERVER);
  await writeFile(join(project, 'app.env'), 'SECRET=from-env-file\n');
  await writeFile(join(project, '.env'), 'PLAIN_FROM_DOT_ENV=plain\n');
  registry = await startPopularRegistry();
  const args = ['--registries', registry.registriesDirectory, '--workspace', project];
  berth = await startBerth({ directories, args });
  await composeWell('up', '-d');
}, 300_000);

afterAll(async () => {
  const end = await berth.stop();
  await registry.stop();
  await removeDirectories(directories);
  expect(end).toMatchObject({ code: 0, report: { leaks: [] } });
});

showLogsOnFailure(() => [berth]);

const ANSWER = 'from-env-file plain +PONG N';

describe('docker-compose', () => {
  test('up waits for health, and services find each other by name and alias', async () => {
    await expect.poll(() => composeWell('logs', '--no-color', 'checker')).toContain(ANSWER);
    const states = await ask(berth, 'ps', '-a', '--format', '{{.Names}} {{.State}}');
    expect(states.split('\n').sort()).toEqual([
      'shop_app_1 running',
      'shop_cache_1 running',
      'shop_checker_1 exited',
      'shop_database_1 running',
      'shop_sidecar_1 running',
    ]);
  });

  test('the published port answers in the job', async () => {
    const script = "fetch('http://localhost:5432/').then(async (answer) => console.log(await answer.text()))";
    const { stdout, stderr } = await runCommand({
      program: 'nsenter',
      args: [`--net=${berth.ready.netns}`, process.execPath, '-e', script],
      env: berth.clientEnv,
    });
    expect(stdout.trim(), stderr).toBe(ANSWER);
    expect(await composeWell('port', 'app', '8080')).toBe('0.0.0.0:5432');
  });

  test('exec, run, ps and logs', async () => {
    expect(await composeWell('exec', '-T', 'cache', 'redis-cli', 'ping')).toBe('PONG');
    const failed = await compose('exec', '-T', 'app', 'sh', '-c', 'exit 9');
    expect(failed.code).toBe(9);
    expect(await composeWell('run', '--rm', '-T', 'cache', 'redis-cli', '-h', 'cache', 'ping')).toBe('PONG');
    expect((await compose('run', '--rm', '-T', '--no-deps', 'app', 'sh', '-c', 'exit 5')).code).toBe(5);
    expect(await composeWell('ps', '-q', 'app')).toMatch(/^[0-9a-f]{64}$/);
    expect(await composeWell('logs', '--no-color', 'app')).toContain('asked for /from-checker');
    // The database is on the internal network alone.
    const out = await compose('exec', '-T', 'database', 'bash', '-c', '</dev/tcp/198.51.100.1/80');
    expect(out.code).not.toBe(0);
  });

  test('volumes of another service are there, and no more writable than said', async () => {
    expect(await composeWell('exec', '-T', 'sidecar', 'ls', '/app')).toBe('server.js');
    expect((await compose('exec', '-T', 'sidecar', 'touch', '/shared/x')).code).not.toBe(0);
    await composeWell('exec', '-T', 'app', 'touch', '/shared/x');
    expect(await composeWell('exec', '-T', 'sidecar', 'ls', '/shared')).toBe('x');
  });

  test('what has not changed stays, what has is made anew, with its volumes', async () => {
    const idOf = (service: string): Promise<string> => composeWell('ps', '-q', service);
    const before = await Promise.all(['database', 'cache', 'app'].map(idOf));
    await composeWell('up', '-d', 'app');
    expect(await Promise.all(['database', 'cache', 'app'].map(idOf))).toEqual(before);
    const file = await readFile(join(project, 'docker-compose.yml'), 'utf8');
    await writeFile(join(project, 'docker-compose.yml'), file.replace('PLAIN:', 'ADDED: x\n      PLAIN:'));
    await composeWell('up', '-d', 'app');
    const after = await Promise.all(['database', 'cache', 'app'].map(idOf));
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toBe(before[2]);
    expect(await composeWell('exec', '-T', 'app', 'sh', '-c', 'echo $ADDED; ls /shared')).toBe('x\nx');
  });

  test('scale up and down', async () => {
    await composeWell('up', '-d', '--no-deps', '--scale', 'cache=3', 'cache');
    const ids = (await composeWell('ps', '-q', 'cache')).split('\n');
    expect(ids).toHaveLength(3);
    const addresses = await composeWell('exec', '-T', 'app', 'getent', 'ahostsv4', 'cache');
    expect(new Set(addresses.split('\n').map((line) => line.split(' ')[0])).size).toBe(3);
    await composeWell('up', '-d', '--no-deps', '--scale', 'cache=1', 'cache');
    expect(await composeWell('ps', '-q', 'cache')).toHaveLength(64);
  });

  test('stop, start, restart, pause and kill', async () => {
    await composeWell('stop', 'sidecar');
    await composeWell('start', 'sidecar');
    await composeWell('restart', '-t', '1', 'app');
    await composeWell('pause', 'cache');
    await composeWell('unpause', 'cache');
    await composeWell('kill', 'sidecar');
    expect(await ask(berth, 'inspect', '-f', '{{.State.ExitCode}}', 'shop_sidecar_1')).toBe('137');
    await composeWell('rm', '-f', 'sidecar', 'checker');
  });

  test('down keeps named volumes, and down -v takes them', async () => {
    await composeWell('down', '-t', '5');
    expect(await ask(berth, 'ps', '-aq')).toBe('');
    expect(await ask(berth, 'network', 'ls', '-q', '--filter', 'type=custom')).toBe('');
    const labelled = await ask(berth, 'volume', 'ls', '-q', '--filter', 'label=purpose=test');
    expect(labelled).toBe('shop_shared');
    await composeWell('down', '-v');
    expect(await ask(berth, 'volume', 'ls', '-q', '--filter', 'dangling=false')).toBe('');
    expect(await ask(berth, 'volume', 'ls', '-q')).not.toContain('shop_');
  });
});
