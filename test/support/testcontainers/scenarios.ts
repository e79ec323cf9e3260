import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { RedisContainer } from '@testcontainers/redis';
import {
  DockerComposeEnvironment,
  GenericContainer,
  Network,
  Wait,
  type StartedTestContainer,
} from 'testcontainers';

// What users of testcontainers write, run in a process of the job with the job's environment. Each ends what it began.

async function fetchPage(container: StartedTestContainer, port = 80): Promise<string> {
  const response = await fetch(`http://${container.getHost()}:${container.getMappedPort(port)}/`);
  return response.text();
}

async function speak(host: string, port: number, words: string): Promise<string> {
  const socket = connect(port, host);
  socket.end(words);
  return text(socket);
}

async function usingNginx(
  prepare: (container: GenericContainer) => GenericContainer,
  use: (started: StartedTestContainer) => Promise<void> = async (started) => {
    assert.match(await fetchPage(started), /Welcome to nginx/);
  },
): Promise<void> {
  const started = await prepare(new GenericContainer('nginx').withExposedPorts(80)).start();
  try {
    await use(started);
  } finally {
    await started.stop();
  }
}

const HEALTHY = ['CMD-SHELL', 'bash -c "</dev/tcp/localhost/80"'] as const;

/** Every scenario by its name. */
export const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  'waits for listening ports': () => usingNginx((container) => container),
  'waits for a log message': () =>
    usingNginx((container) => container.withWaitStrategy(Wait.forLogMessage('start worker process'))),
  'waits for an HTTP answer': () =>
    usingNginx((container) => container.withWaitStrategy(Wait.forHttp('/', 80).forStatusCode(200))),
  'waits for a health check': () =>
    usingNginx((container) =>
      container
        .withHealthCheck({ test: ['CMD-SHELL', HEALTHY[1]], interval: 500, timeout: 3000, retries: 20 })
        .withWaitStrategy(Wait.forHealthCheck()),
    ),
  'waits for a command that succeeds': () =>
    usingNginx((container) => container.withWaitStrategy(Wait.forSuccessfulCommand(HEALTHY[1]))),
  'fails where a container gets unhealthy': async () => {
    const container = new GenericContainer('busybox')
      .withCommand(['sleep', '1000'])
      .withHealthCheck({ test: ['CMD-SHELL', 'false'], interval: 200, timeout: 1000, retries: 1 })
      .withWaitStrategy(Wait.forHealthCheck());
    await assert.rejects(container.start(), /unhealthy/);
  },
  'one-shot containers, and their failures': async () => {
    const oneShot = (...command: string[]): Promise<StartedTestContainer> =>
      new GenericContainer('busybox').withCommand(command).withWaitStrategy(Wait.forOneShotStartup()).start();
    await (await oneShot('true')).stop();
    await assert.rejects(oneShot('false'));
  },
  'networks and aliases': async () => {
    const network = await new Network().start();
    const server = await new GenericContainer('nginx').withNetwork(network).withNetworkAliases('web').start();
    const client = await new GenericContainer('alpine')
      .withNetwork(network)
      .withCommand(['sleep', '1000'])
      .start();
    const { output, exitCode } = await client.exec(['wget', '-qO-', 'http://web/']);
    assert.equal(exitCode, 0);
    assert.match(output, /Welcome to nginx/);
    await Promise.all([server.stop(), client.stop()]);
    await network.stop();
  },
  'copies to and from': async () => {
    const container = await new GenericContainer('alpine')
      .withCommand(['sleep', '1000'])
      .withCopyContentToContainer([{ content: 'before', target: '/data/before', mode: 0o640 }])
      .start();
    await container.copyContentToContainer([{ content: 'after', target: '/data/after' }]);
    const { output } = await container.exec([
      'sh',
      '-c',
      'cat /data/before /data/after; stat -c %a /data/before',
    ]);
    assert.equal(output, 'beforeafter640\n');
    const archive = await text(await container.copyArchiveFromContainer('/data'));
    assert.match(archive, /before[\s\S]*after|after[\s\S]*before/);
    await container.stop();
  },
  'exec: output, exit code, user, directory and environment': async () => {
    const container = await new GenericContainer('alpine').withCommand(['sleep', '1000']).start();
    const { stdout, stderr, exitCode } = await container.exec(
      ['sh', '-c', 'echo $A $(id -u) $PWD; echo bad >&2; exit 3'],
      { env: { A: 'b' }, user: 'nobody', workingDir: '/tmp' },
    );
    assert.deepEqual([stdout, stderr, exitCode], ['b 65534 /tmp\n', 'bad\n', 3]);
    await container.stop();
  },
  'restart and logs': async () => {
    const container = await new GenericContainer('alpine')
      .withCommand(['sh', '-c', 'echo up; exec sleep 1000'])
      .withWaitStrategy(Wait.forLogMessage('up'))
      .start();
    await container.restart();
    const logs = await container.logs();
    logs.on('data', (line: Buffer) => {
      if (line.toString().includes('up')) logs.destroy();
    });
    await new Promise((resolve) => logs.once('close', resolve));
    await container.stop();
  },
  'tmpfs, environment, user, working directory, hosts': async () => {
    const container = await new GenericContainer('alpine')
      .withTmpFs({ '/fast': 'rw,noexec,size=1m' })
      .withEnvironment({ GREETING: 'hello' })
      .withExtraHosts([{ host: 'elsewhere', ipAddress: '10.9.8.7' }])
      .withWorkingDir('/tmp')
      .withUser('nobody')
      .withCommand(['sleep', '1000'])
      .start();
    const script =
      'grep -c "/fast tmpfs" /proc/mounts; echo $GREETING; grep elsewhere /etc/hosts; pwd; id -un';
    const { output } = await container.exec(['sh', '-c', script]);
    assert.equal(output, '1\nhello\n10.9.8.7\telsewhere\n/tmp\nnobody\n');
    await container.stop();
  },
  'the PostgreSQL module': async () => {
    const container = await new PostgreSqlContainer('postgres:15')
      .withDatabase('shop')
      .withUsername('me')
      .start();
    // A client of the job, by the published port.
    const query = async (sql: string): Promise<string> => {
      const args = [container.getConnectionUri(), '-tAc', sql];
      return (await promisify(execFile)('/usr/lib/postgresql/15/bin/psql', args)).stdout.trim();
    };
    assert.equal(await query('select current_database() || current_user'), 'shopme');
    await query('create table t (n int)');
    await container.snapshot();
    await query('insert into t values (1)');
    await container.restoreSnapshot();
    assert.equal(await query('select count(*) from t'), '0');
    await container.stop();
  },
  'the Redis module': async () => {
    const container = await new RedisContainer('redis:7').start();
    const words = 'SET a b\r\nGET a\r\nQUIT\r\n';
    assert.equal(await speak(container.getHost(), container.getPort(), words), '+OK\r\n$1\r\nb\r\n+OK\r\n');
    assert.match(await container.executeCliCmd('GET', ['a']), /b/);
    await container.stop();
  },
  'a compose environment': async () => {
    const directory = await mkdtemp(join(tmpdir(), 'berth-compose-'));
    await writeFile(join(directory, 'compose.yml'), COMPOSE);
    try {
      const project = basename(directory).toLowerCase();
      const environment = await new DockerComposeEnvironment(directory, 'compose.yml')
        .withProjectName(project)
        .withWaitStrategy(`${project}_web_1`, Wait.forHttp('/', 80))
        .withWaitStrategy(`${project}_cache_1`, Wait.forLogMessage('Ready to accept connections'))
        .up();
      assert.match(await fetchPage(environment.getContainer(`${project}_web_1`)), /Welcome to nginx/);
      const { output } = await environment
        .getContainer(`${project}_cache_1`)
        .exec(['redis-cli', '-h', 'cache', 'ping']);
      assert.equal(output.trim(), 'PONG');
      await environment.down();
    } finally {
      await rm(directory, { recursive: true });
    }
  },
};

const COMPOSE = `
version: '3.8'
services:
  web:
    image: nginx
    ports: ['80']
  cache:
    image: redis:7
`;
