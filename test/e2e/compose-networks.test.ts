import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';
import { runCommand } from '../support/e2e-process.ts';

// What a file for docker-compose 1.29 may say of networks and volumes besides names.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);

const FILE = `
version: '2.4'
services:
  web:
    image: busybox
    command: ['sh', '-c', 'while :; do echo web | nc -l -p 80; done']
    networks:
      planned: {ipv4_address: 10.68.0.50, aliases: [site, www]}
      given: {}
    volumes: ['given:/given', 'own:/own', '/anonymous']
    tmpfs: ['/scratch:size=1m']
    ports: ['127.0.0.1:8120-8125:80', '8126:80/udp']
    extra_hosts: ['elsewhere:192.0.2.9']
    dns_search: [search.example]
    healthcheck: {test: ['CMD', 'true'], interval: 300ms, retries: 10}
  client:
    image: busybox
    command: ['sleep', '1000']
    networks: {planned: {priority: 100}, extra: {}}
    links: ['web:linked']
    volumes_from: ['web:ro']
    depends_on: {web: {condition: service_healthy}}
  alone:
    image: busybox
    command: ['sleep', '1000']
    network_mode: none
networks:
  planned:
    labels: {purpose: plan}
    driver_opts: {com.docker.network.bridge.name: shopbr0, com.docker.network.driver.mtu: 1400}
    ipam:
      driver: default
      config: [{subnet: 10.68.0.0/24, ip_range: 10.68.0.128/25, gateway: 10.68.0.9, aux_addresses: {router: 10.68.0.128}}]
  extra: {}
  given: {external: true}
volumes:
  given: {external: {name: really}}
  own: {name: named, labels: {purpose: test}}
`;

let project = '';

async function compose(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand({
    program: 'docker-compose',
    args: ['--ansi', 'never', ...args],
    cwd: project,
    env: { ...job.berth.clientEnv, ...job.berth.ready.env, COMPOSE_HTTP_TIMEOUT: '200' },
    timeoutMs: 100_000,
  });
  expect(code, `docker-compose ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout.trimEnd();
}

const inside = (service: string, script: string): Promise<string> =>
  compose('exec', '-T', service, 'sh', '-c', script);
const lookUp = (name: string): string => `nslookup ${name} 127.0.0.11 2>&1 | sed -n 's/^Address: //p'`;

beforeAll(async () => {
  project = join(job.berth.directories.home, 'plans');
  await mkdir(project, { recursive: true });
  await writeFile(join(project, 'docker-compose.yml'), FILE);
  await docker('network', 'create', 'given');
  await docker('volume', 'create', 'really');
  await docker('run', '--rm', '-v', 'really:/v', 'busybox', 'sh', '-c', 'echo before >/v/file');
  await compose('up', '-d');
}, 120_000);

describe('docker-compose', () => {
  test('gives addresses of a plan, aliases and links', async () => {
    const address = '{{.NetworkSettings.Networks.plans_planned.IPAddress}}';
    expect(await docker('inspect', '-f', address, 'plans_web_1')).toBe('10.68.0.50');
    expect(await docker('inspect', '-f', address, 'plans_client_1')).toBe('10.68.0.129');
    for (const name of ['web', 'site', 'www', 'linked', 'plans_web_1'])
      expect(await inside('client', lookUp(name))).toBe('10.68.0.50');
    expect(await inside('client', 'until nc linked 80; do sleep 0.1; done')).toBe('web');
    expect(await inside('client', 'cat /sys/class/net/*/mtu')).toContain('1400');
    const links = await docker('run', '--rm', '--network', 'host', 'busybox', 'ls', '/sys/class/net');
    expect(links.split('\n')).toContain('shopbr0');
    expect(await docker('network', 'ls', '-q', '--filter', 'label=purpose=plan')).not.toBe('');
  });

  test('uses networks and volumes that were there before, and leaves them', async () => {
    expect(await inside('web', 'cat /given/file; touch /own/x /anonymous/y')).toBe('before');
    expect(await inside('client', 'cat /given/file; ls /own /anonymous')).toContain('before');
    const { code } = await runCommand({
      program: 'docker-compose',
      args: ['exec', '-T', 'client', 'touch', '/own/z'],
      cwd: project,
      env: { ...job.berth.clientEnv, ...job.berth.ready.env },
    });
    expect(code).not.toBe(0);
    expect(await docker('network', 'inspect', '-f', '{{range .Containers}}{{.Name}}{{end}}', 'given')).toBe(
      'plans_web_1',
    );
  });

  test('files, ports, tmpfs and no network are as they were asked for', async () => {
    expect(await inside('web', 'cat /etc/hosts')).toContain('192.0.2.9\telsewhere');
    expect(await inside('web', 'cat /etc/resolv.conf')).toContain('search search.example');
    expect(await inside('web', 'df -k /scratch | tail -1')).toContain(' 1024 ');
    expect(await compose('port', 'web', '80')).toMatch(/^127\.0\.0\.1:812[0-5]$/);
    expect(await compose('port', '--protocol', 'udp', 'web', '80')).toBe('0.0.0.0:8126');
    expect(await inside('alone', 'ls /sys/class/net')).toBe('lo');
  });

  test('down takes what is its own alone', async () => {
    await compose('down', '-v', '-t', '1');
    expect(await docker('network', 'ls', '--filter', 'type=custom', '--format', '{{.Name}}')).toBe('given');
    expect(await docker('volume', 'ls', '-q')).toBe('really');
    await docker('network', 'rm', 'given');
    await docker('volume', 'rm', 'really');
  });
});
