import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox } from '../support/e2e-job.ts';
import { runCommand } from '../support/e2e-process.ts';

// Jobs in a namespace that is there already: one the test makes, and the machine's.

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand({
    program,
    args,
    env: { PATH: process.env['PATH'] ?? '' },
  });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const SERVE = 'while :; do echo hello | nc -l -p 80; done';

describe('a job in a namespace that is there already', () => {
  test('of a path: bridges, names and ports are there while it lasts, and nothing is left', async () => {
    const name = `berthtest-p-${randomBytes(4).toString('hex')}`;
    const path = `/run/netns/${name}`;
    const inPlace = (...argv: readonly string[]): Promise<string> => run('nsenter', `--net=${path}`, ...argv);
    const look = async (): Promise<string> =>
      (await inPlace('ip', '-o', 'link')) +
      (await inPlace('ip', 'route')) +
      (await inPlace('nft', 'list', 'ruleset'));
    await run('ip', 'netns', 'add', name);
    try {
      await inPlace('ip', 'link', 'set', 'lo', 'up');
      const before = await look();
      const berth = await startBerth({ args: ['--network', path] });
      await loadBusybox(berth);
      await ask(berth, 'network', 'create', 'inner');
      // A name of a client's is for a namespace of the job's own.
      const named = { Name: 'named', Options: { 'com.docker.network.bridge.name': 'mybr0' } };
      const { body } = await createApiClient(berth.ready.socket).post('/networks/create', named);
      expect(body).toMatchObject({ Warning: expect.stringContaining('has no effect') as string });
      expect(await inPlace('ip', '-o', 'link')).not.toContain('mybr0');
      const web = ['-d', '--name', 'web', '--network', 'inner', '-p', '8080:80'];
      await ask(berth, 'run', ...web, 'busybox', 'sh', '-c', SERVE);
      const client = ['run', '--rm', '--network', 'inner', 'busybox', 'sh', '-c'];
      expect(await ask(berth, ...client, 'until nc web 80; do sleep 0.1; done')).toBe('hello');
      const host = ['run', '--rm', '--network', 'host', 'busybox', 'sh', '-c'];
      expect(await ask(berth, ...host, 'until nc 127.0.0.1 8080; do sleep 0.1; done')).toBe('hello');
      expect(await inPlace('ip', '-o', 'link')).toMatch(/berth-b\d+: [^]*br-[0-9a-f]{12}: /);
      expect((await berth.stop()).code).toBe(0);
      expect(await look()).toBe(before);
    } finally {
      await run('ip', 'netns', 'delete', name);
    }
  });

  test('of the machine: its bridge is there while it lasts', async () => {
    const berth = await startBerth({ args: ['--network', 'host'] });
    await loadBusybox(berth);
    const id = await ask(berth, 'network', 'inspect', '-f', '{{.Id}}', 'bridge');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const bridge = await ask(
      berth,
      ...['network', 'inspect', '-f', '{{index .Options "com.docker.network.bridge.name"}}', 'bridge'],
    );
    const links = (): Promise<string> => run('nsenter', '--net=/proc/self/ns/net', 'ip', '-o', 'link');
    expect(await links()).toContain(` ${bridge}: `);
    expect(await ask(berth, 'run', '--rm', 'busybox', 'ls', '/sys/class/net')).toBe('eth0\nlo');
    expect((await berth.stop()).code).toBe(0);
    expect(await links()).not.toContain(` ${bridge}: `);
  });
});
