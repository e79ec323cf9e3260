import Dockerode from 'dockerode';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ask } from '../support/e2e-job.ts';
import { usePopularJob } from '../support/popular-job.ts';

// What CI runners ask of a daemon with the docker CLI, call by call and in their order.

const job = usePopularJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);

test("GitHub's runner: container, services, steps and a docker action", async () => {
  const { berth, workspace } = job;
  await mkdir(join(workspace, 'repository'));
  const label = '8a5edab282632443219e051e4ade2d1d5bbc671c781051bf1437897cbdfea0f1';
  const network = `github_network_${label.slice(0, 32)}`;
  expect(await docker('version', '--format', '{{.Server.APIVersion}}')).toMatch(/^1\.\d+$/);
  expect(await docker('version', '--format', '{{.Client.APIVersion}}')).toMatch(/^1\.\d+$/);
  expect(await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', `label=${label}`)).toBe('');
  await docker('network', 'prune', '--force', '--filter', `label=${label}`);
  await docker('network', 'create', '--label', label, network);
  for (const image of ['postgres:15', 'redis:7', 'node:20']) await docker('pull', image);
  const health = ['--health-cmd', 'pg_isready', '--health-interval', '500ms', '--health-retries', '100'];
  const service = ['--name', 'gh_postgres', '--label', label, '--network', network, '--network-alias', 'db'];
  const settings = ['-e', 'POSTGRES_PASSWORD', '-e', 'GITHUB_ACTIONS=true', '-e', 'CI=true'];
  const created = await berth.docker(
    ['create', ...service, '-p', '5432:5432', ...health, ...settings, 'postgres:15'],
    {
      env: { POSTGRES_PASSWORD: 'secret' },
    },
  );
  const database = created.stdout.trim();
  const cache = await docker(
    'create',
    '--name',
    'gh_redis',
    '--label',
    label,
    '--network',
    network,
    '--network-alias',
    'redis',
    '-p',
    '6379',
    'redis:7',
  );
  const home = ['--workdir', '/__w/repository', '-e', 'HOME=/github/home', '-v', `${workspace}:/__w`];
  const sockets = ['-v', '/var/run/docker.sock:/var/run/docker.sock'];
  const steps = await docker(
    'create',
    '--name',
    'gh_job',
    '--label',
    label,
    ...home,
    ...sockets,
    '--network',
    network,
    '-e',
    'CI=true',
    '--entrypoint',
    'tail',
    'node:20',
    '-f',
    '/dev/null',
  );
  for (const id of [database, cache, steps]) {
    expect(await docker('start', id)).toBe(id);
    const shown = await docker(
      'ps',
      '--all',
      '--filter',
      `id=${id}`,
      '--filter',
      'status=running',
      '--no-trunc',
      '--format',
      '{{.ID}} {{.Status}}',
    );
    expect(shown).toMatch(new RegExp(`^${id} Up `));
  }
  expect(await docker('port', database)).toContain('5432/tcp -> 0.0.0.0:5432');
  expect(await docker('port', cache)).toMatch(/^6379\/tcp -> 0\.0\.0\.0:\d+/);
  const status = '{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}';
  expect(await docker('inspect', `--format=${status}`, cache)).toBe('');
  await expect
    .poll(() => docker('inspect', `--format=${status}`, database), { timeout: 60_000 })
    .toBe('healthy');
  expect(await docker('inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', steps)).toContain(
    'PATH=',
  );
  const step = `echo in $PWD; node -e "require('net').connect(5432, 'db', () => { console.log('connected'); process.exit() })"; exit 4`;
  await writeFile(join(workspace, 'step.sh'), step);
  const ran = await berth.docker([
    'exec',
    '-i',
    '--workdir',
    '/__w/repository',
    '-e',
    'CI=true',
    steps,
    'sh',
    '-e',
    '/__w/step.sh',
  ]);
  expect([ran.code, ran.stdout]).toEqual([4, 'in /__w/repository\nconnected\n']);
  const action = [
    '--name',
    'gh_action',
    '--label',
    label,
    '--workdir',
    '/github/workspace',
    '--rm',
    ...sockets,
  ];
  const mounted = ['-v', `${workspace}/repository:/github/workspace`, '--network', network];
  expect(await docker('run', ...action, ...mounted, 'debian', 'bash', '-c', 'echo made > file; pwd')).toBe(
    '/github/workspace',
  );
  expect(await docker('exec', steps, 'cat', 'file')).toBe('made');
  const logs = await berth.docker(['logs', '--details', database]);
  expect(logs.stdout + logs.stderr).toContain('ready to accept connections');
  for (const id of [steps, database, cache]) await docker('rm', '--force', id);
  await docker('network', 'rm', network);
  expect(await docker('ps', '--all', '--quiet', '--filter', `label=${label}`)).toBe('');
});

test('devcontainers: found by label, followed by events, used by a user of its own', async () => {
  const { berth, workspace } = job;
  await mkdir(join(workspace, 'repository'), { recursive: true });
  const label = `devcontainer.local_folder=${workspace}/repository`;
  expect(await docker('ps', '-q', '-a', '--filter', `label=${label}`)).toBe('');
  await docker('pull', 'node:20');
  const events = await new Dockerode({ socketPath: berth.ready.socket }).getEvents({
    filters: { event: ['start'], label: [label] },
  });
  const mount = `type=bind,source=${workspace}/repository,target=/workspaces/repository`;
  const script = 'echo Container started; trap "exit 0" 15; while sleep 1 & wait $!; do :; done';
  const run = berth.docker([
    'run',
    '--sig-proxy=false',
    '-a',
    'STDOUT',
    '-a',
    'STDERR',
    '--mount',
    mount,
    '-l',
    label,
    '--entrypoint',
    '/bin/sh',
    'node:20',
    '-c',
    script,
    '-',
  ]);
  const [event] = (await once(events, 'data')) as [Buffer];
  const { id } = JSON.parse(event.toString()) as { id: string };
  expect(await docker('ps', '-q', '-a', '--no-trunc', '--filter', `label=${label}`)).toBe(id);
  expect(await docker('inspect', '--type', 'container', '-f', '{{.State.Status}}', id)).toBe('running');
  const shell = await berth.docker(
    ['exec', '-i', '-u', 'node', '-w', '/workspaces/repository', id, '/bin/sh'],
    {
      input: 'echo $(id -un) in $PWD\n',
    },
  );
  expect(shell.stdout).toBe('node in /workspaces/repository\n');
  await docker('stop', id);
  expect(await run).toMatchObject({ code: 0, stdout: 'Container started\n' });
  await docker('rm', id);
  events.removeAllListeners();
  (events as unknown as { destroy(): void }).destroy();
});

describe('users other than root', () => {
  test('may use the socket', async () => {
    const script =
      "require('http').get({ socketPath: '/var/run/docker.sock', path: '/info' }, (r) => { console.log(process.getuid(), r.statusCode); process.exit(); })";
    const args = ['run', '--rm', '-u', '1000', '-v', '/var/run/docker.sock:/var/run/docker.sock'];
    expect(await docker(...args, 'node:20', 'node', '-e', script)).toBe('1000 200');
  });
});
