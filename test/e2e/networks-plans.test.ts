import { describe, expect, test } from 'vitest';
import { removeDirectories, startBerth, type Berth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// What a network is planned with: configurations, names of bridges, reserved addresses.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await job.berth.docker(args);
  expect(code).not.toBe(0);
  return stderr.trim();
};
const bridgeOf = (name: string): readonly string[] => ['-o', `com.docker.network.bridge.name=${name}`];
// `host` is the job's own namespace.
const links = (berth: Berth): Promise<string> =>
  ask(berth, 'run', '--rm', '--network', 'host', 'busybox', 'ls', '/sys/class/net');

describe('a configuration', () => {
  test('is used by the networks made from it, and by no container', async () => {
    const pool = ['--subnet', '10.66.0.0/24', '--gateway', '10.66.0.9'];
    const more = ['--label', 'k=v', '-o', 'com.docker.network.driver.mtu=1400'];
    await docker('network', 'create', '--config-only', ...pool, ...more, 'conf');
    await docker('network', 'create', '--config-from', 'conf', 'made');
    const facts = '{{.Driver}} {{.ConfigOnly}} {{.ConfigFrom.Network}} {{.Labels.k}}';
    expect(await docker('network', 'inspect', '-f', facts, 'conf', 'made')).toBe(
      'null true  v\nbridge false conf v',
    );
    const seen = await docker(
      ...['run', '--rm', '--network', 'made', 'busybox', 'sh', '-c', 'cat /sys/class/net/eth0/mtu; ip route'],
    );
    expect(seen).toMatch(/^1400\ndefault via 10.66.0.9/);
    expect(await fails('run', '--rm', '--network', 'conf', 'busybox', 'true')).toContain(
      'cannot create endpoint on configuration-only network',
    );
    expect(await fails('network', 'create', '--config-from', 'conf', 'second')).toContain('Pool overlaps');
    expect(await fails('network', 'rm', 'conf')).toContain('configuration network "conf" is in use');
    expect(await docker('network', 'prune', '-f')).toBe('Deleted Networks:\nmade');
    await docker('network', 'rm', 'conf');
  });
});

describe('the name of a bridge', () => {
  test('is that of a link in the job, and of one only', async () => {
    await docker('network', 'create', ...bridgeOf('mybr0'), 'named');
    expect((await links(job.berth)).split('\n')).toContain('mybr0');
    expect(await docker('run', '--rm', '--network', 'named', 'busybox', 'ip', 'route')).toContain('default');
    expect(await fails('network', 'create', ...bridgeOf('mybr0'), 'second')).toContain(
      'networks have same bridge name',
    );
    expect(await fails('network', 'create', ...bridgeOf('docker0'), 'second')).toContain('same bridge name');
    expect(await fails('network', 'create', ...bridgeOf('lo'), 'second')).toContain(
      'existing interface lo is not a bridge',
    );
    expect(await fails('network', 'create', ...bridgeOf('../x'), 'second')).toContain(
      'not the name of a link',
    );
    await docker('network', 'rm', 'named');
    await docker('network', 'create', ...bridgeOf('mybr0'), 'again');
    await docker('network', 'rm', 'again');
  });

  test('outlives a crash with its network, and so does a configuration', async () => {
    const first = await startBerth();
    await loadBusybox(first);
    await ask(first, 'network', 'create', ...bridgeOf('mybr0'), 'kept');
    await ask(first, 'network', 'create', '--config-only', 'conf');
    await ask(first, 'network', 'create', '--config-from', 'conf', 'made');
    await first.kill9();
    const { directories } = first;
    const second = await startBerth({ job: first.ready.job, directories });
    try {
      expect((await links(second)).split('\n')).toContain('mybr0');
      const { stderr } = await second.docker(['network', 'rm', 'conf']);
      expect(stderr).toContain('configuration network "conf" is in use');
      await ask(second, 'network', 'rm', 'made', 'conf', 'kept');
      await expect.poll(() => links(second)).not.toContain('mybr0');
    } finally {
      expect((await second.stop()).code).toBe(0);
      await removeDirectories(directories);
    }
  });
});

describe('addresses', () => {
  test('of an ip-range alone are handed out, those of others never', async () => {
    const range = ['--subnet', '10.67.0.0/24', '--ip-range', '10.67.0.16/29', '--gateway', '10.67.0.16'];
    const others = ['--aux-address', 'router=10.67.0.17', '--aux-address', 'far=10.67.0.77'];
    await docker('network', 'create', ...range, ...others, 'ranged');
    const run = ['run', '-d', '--network', 'ranged'];
    const ids = await Promise.all(
      Array.from({ length: 6 }, () => docker(...run, 'busybox', 'sleep', '1000')),
    );
    const address = '{{.NetworkSettings.Networks.ranged.IPAddress}}';
    const got = (await docker('inspect', '-f', address, ...ids)).split('\n').sort();
    expect(got).toEqual([18, 19, 20, 21, 22, 23].map((last) => `10.67.0.${String(last)}`));
    expect(await fails(...run, 'busybox', 'true')).toContain('no available addresses');
    for (const taken of ['10.67.0.77', '10.67.0.16'])
      expect(await fails(...run, '--ip', taken, 'busybox', 'true')).toContain('Address already in use');
    await docker(...run, '--name', 'outside', '--ip', '10.67.0.99', 'busybox', 'sleep', '1000');
    await docker('rm', '-f', 'outside', ...ids);
    await docker('container', 'prune', '-f');
    await docker('network', 'rm', 'ranged');
  });
});
