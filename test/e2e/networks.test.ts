import { describe, expect, test } from 'vitest';
import { removeDirectories, startBerth } from '../support/e2e-berth.ts';
import { ask, loadBusybox, useJob } from '../support/e2e-job.ts';

// Users' networks with the docker CLI on real containers.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const sleeper = (name: string, ...args: readonly string[]): Promise<string> =>
  docker('run', '-d', '--name', name, ...args, 'busybox', 'sleep', '1000');
const inside = (name: string, script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);
const lookup = (name: string): string => `nslookup ${name} 127.0.0.11 2>&1 | sed -n 's/^Address: //p' | sort`;
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await job.berth.docker(args);
  expect(code).not.toBe(0);
  return stderr.trim();
};

describe('users’ networks', () => {
  test('the sequence of a workflow with services', async () => {
    const label = 'ab12cd';
    await docker('network', 'prune', '--force', '--filter', `label=${label}`);
    await docker('network', 'create', '--label', label, 'github_network_1');
    const service = await docker(
      ...['create', '--name', 'svc_1', '--label', label, '--network', 'github_network_1'],
      ...['--network-alias', 'redis', '-p', '6379:6379', '-e', 'GITHUB_ACTIONS=true', '-e', 'CI=true'],
      ...['busybox', 'sh', '-c', 'while :; do echo pong | nc -l -p 6379; done'],
    );
    await docker('start', service);
    const running = ['ps', '--all', '--filter', `id=${service}`, '--filter', 'status=running', '--no-trunc'];
    expect(await docker(...running, '--format', '{{.ID}} {{.Status}}')).toMatch(`${service} Up`);
    expect(await docker('port', service)).toBe('6379/tcp -> 0.0.0.0:6379\n6379/tcp -> [::]:6379');
    const retry = 'until nc redis 6379; do sleep 0.1; done';
    expect(await docker('run', '--rm', '--network', 'github_network_1', 'busybox', 'sh', '-c', retry)).toBe(
      'pong',
    );
    expect(await fails('network', 'rm', 'github_network_1')).toContain(
      'network github_network_1 has active endpoints (name:"svc_1"',
    );
    await docker('rm', '--force', service);
    await docker('network', 'rm', 'github_network_1');
  });

  test('names: container, short id, alias, both of a shared alias, backwards; not those of another network', async () => {
    await docker('network', 'create', 'front');
    await docker('network', 'create', 'back');
    const id = await sleeper('aa', '--network', 'front', '--network-alias', 'shared', '-h', 'hosta');
    await sleeper('bb', '--network', 'front', '--network-alias', 'shared');
    await sleeper('cc', '--network', 'back');
    const [a = '', b = ''] = await Promise.all(
      ['aa', 'bb'].map((name) =>
        docker('inspect', '-f', '{{.NetworkSettings.Networks.front.IPAddress}}', name),
      ),
    );
    for (const name of ['aa', 'AA', 'hosta', id.slice(0, 12), 'aa.front'])
      expect(await inside('bb', lookup(name))).toBe(a);
    expect((await inside('bb', lookup('shared'))).split('\n')).toEqual([a, b].sort());
    expect(await inside('bb', `nslookup ${a} 127.0.0.11`)).toContain('aa.front');
    expect(await inside('cc', lookup('aa'))).toBe('');
    expect(await inside('bb', 'cat /etc/resolv.conf')).toMatch(/nameserver 127.0.0.11[^]*options ndots:0/);
    expect(await inside('bb', 'ping -c 1 -W 2 aa >/dev/null && echo answered')).toBe('answered');
    expect(await inside('cc', `ping -c 1 -W 1 ${a} >/dev/null || echo isolated`)).toBe('isolated');
    await docker('network', 'connect', '--alias', 'later', 'front', 'cc');
    expect(await inside('cc', lookup('aa'))).toBe(a);
    expect(await inside('aa', 'ping -c 1 -W 2 later >/dev/null && echo answered')).toBe('answered');
    expect(await inside('cc', 'ls /sys/class/net')).toBe('eth0\neth1\nlo');
    await docker('network', 'disconnect', 'front', 'cc');
    expect(await inside('cc', lookup('aa'))).toBe('');
    expect(await inside('cc', 'ls /sys/class/net')).toBe('eth0\nlo');
    await docker('rm', '-f', 'aa', 'bb', 'cc');
    await docker('network', 'rm', 'front', 'back');
  });

  test('a container that serves port 53 itself keeps its resolver', async () => {
    await docker('network', 'create', 'dns');
    await sleeper('server', '--network', 'dns');
    await inside('server', 'nc -l -p 53 >/dev/null 2>&1 & echo started');
    expect(await inside('server', lookup('server'))).toMatch(/^172\./);
    await docker('rm', '-f', 'server');
    await docker('network', 'rm', 'dns');
  });

  test('subnet, gateway, static address, options and labels; refusals', async () => {
    const options = ['--subnet', '10.77.0.0/24', '--gateway', '10.77.0.9', '--ip-range', '10.77.0.128/25'];
    await docker(
      'network',
      'create',
      ...options,
      '--label',
      'k=v',
      '-o',
      'com.docker.network.driver.mtu=1400',
      ...['-o', 'com.docker.network.bridge.host_binding_ipv4=127.0.0.1'],
      ...['-o', 'com.docker.network.container_iface_prefix=net', '-o', 'org.example.key=on'],
      'n1',
    );
    await sleeper('static', '--network', 'n1', '--ip', '10.77.0.20', '-p', '8070:80');
    expect(await docker('port', 'static')).toBe('80/tcp -> 127.0.0.1:8070');
    expect(await docker('network', 'inspect', '-f', '{{index .Options "org.example.key"}}', 'n1')).toBe('on');
    await sleeper('ranged', '--network', 'n1');
    const address = '{{.NetworkSettings.Networks.n1.IPAddress}} {{.NetworkSettings.Networks.n1.Gateway}}';
    expect(await docker('inspect', '-f', address, 'static')).toBe('10.77.0.20 10.77.0.9');
    expect(await docker('inspect', '-f', address, 'ranged')).toBe('10.77.0.128 10.77.0.9');
    expect(await inside('static', 'cat /sys/class/net/net0/mtu; ip route')).toMatch(
      /^1400\ndefault via 10.77.0.9/,
    );
    expect(await fails('run', '--network', 'n1', '--ip', '10.77.0.20', 'busybox')).toContain(
      'Address already in use',
    );
    expect(await fails('network', 'create', '--subnet', '10.77.0.0/16', 'n2')).toContain(
      'Pool overlaps with other one on this address space',
    );
    expect(await fails('run', '--network', 'n1', '--ip', '10.78.0.20', 'busybox')).toContain(
      "Invalid address 10.78.0.20: It does not belong to any of this network's subnets",
    );
    expect(await fails('network', 'create', 'n1')).toContain('network with name n1 already exists');
    expect(await fails('network', 'create', '-d', 'macvlan', 'n2')).toContain('plugin "macvlan" not found');
    expect(await fails('run', '--network', 'nope', 'busybox')).toContain('network nope not found');
    expect(await docker('network', 'ls', '--filter', 'label=k=v', '--format', '{{.Name}} {{.Driver}}')).toBe(
      'n1 bridge',
    );
    await docker('rm', '-f', 'static', 'ranged');
    expect(await docker('network', 'prune', '-f', '--filter', 'label=k=v')).toContain('n1');
  });

  test('an internal network leads nowhere; one container uses the network of another', async () => {
    await docker('network', 'create', '--internal', 'closed');
    await sleeper('shut', '--network', 'closed');
    expect(await inside('shut', 'ip route')).not.toContain('default');
    expect(await inside('shut', lookup('shut'))).toMatch(/^172\./);
    const shared = ['run', '--rm', '--network', 'container:shut', 'busybox'];
    expect(await docker(...shared, 'nslookup', 'shut', '127.0.0.11')).toContain('Address: 172.');
    expect(await docker(...shared, 'cat', '/etc/hosts')).toBe(await inside('shut', 'cat /etc/hosts'));
    await docker('rm', '-f', 'shut');
    await docker('network', 'rm', 'closed');
  });

  test('after a crash of berth the next process knows networks, members and names', async () => {
    const first = await startBerth();
    await loadBusybox(first);
    await ask(first, 'network', 'create', 'kept');
    await ask(first, 'run', '-d', '--name', 'one', '--network', 'kept', 'busybox', 'sleep', '1000');
    const before = await ask(first, 'network', 'inspect', 'kept');
    await first.kill9();
    const second = await startBerth({ job: first.ready.job, directories: first.directories });
    expect(await ask(second, 'network', 'inspect', 'kept')).toBe(before);
    const found = ['run', '--rm', '--network', 'kept', 'busybox', 'ping', '-c', '1', '-W', '2', 'one'];
    expect(await ask(second, ...found)).toContain('1 packets received');
    expect(await ask(second, 'exec', 'one', 'ping', '-c', '1', 'one')).toContain('1 packets received');
    await ask(second, 'rm', '-f', 'one');
    await ask(second, 'network', 'rm', 'kept');
    expect((await second.stop()).code).toBe(0);
    await removeDirectories(first.directories);
  });
});
