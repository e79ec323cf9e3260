import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// Networks with IPv6, and what a container can ask of an endpoint besides, with real containers.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const sleeper = (name: string, ...args: readonly string[]): Promise<string> =>
  docker('run', '-d', '--name', name, ...args, 'busybox', 'sleep', '1000');
const inside = (name: string, script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);
const sixOf = (name: string, network: string): Promise<string> =>
  docker(
    'inspect',
    '-f',
    `{{with index .NetworkSettings.Networks "${network}"}}{{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}}{{end}}`,
    name,
  );
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await job.berth.docker(args);
  expect(code).not.toBe(0);
  return stderr.trim();
};

describe('IPv6', () => {
  test('has addresses, names in both directions, hosts and a wall; chosen ones are kept and checked', async () => {
    const pool = ['--subnet', 'fd5b:1::/64', '--gateway', 'fd5b:1::ffff', '--ip-range', 'fd5b:1::a:0/112'];
    await docker('network', 'create', '--ipv6', ...pool, 'six');
    await docker('network', 'create', '--ipv6', 'other');
    await sleeper('a6', '--network', 'six', '--ip6', 'fd5b:1::f00d');
    await sleeper('b6', '--network', 'six', '--network-alias', 'both');
    await sleeper('c6', '--network', 'other');
    expect(await sixOf('a6', 'six')).toBe('fd5b:1::f00d/64');
    expect(await sixOf('b6', 'six')).toBe('fd5b:1::a:0/64');
    expect(await inside('b6', 'cat /etc/hosts')).toMatch(/^fd5b:1::a:0\t/m);
    expect(await inside('a6', 'ping -6 -c 1 -W 2 both | grep -c "from fd5b:1::a:0"')).toBe('1');
    expect(await inside('a6', 'ping -c 1 -W 2 -4 both >/dev/null && echo four')).toBe('four');
    expect(await inside('a6', 'ping -6 -c 1 -W 2 fd5b:1::ffff >/dev/null && echo gateway')).toBe('gateway');
    expect(await inside('a6', 'nslookup fd5b:1::a:0 127.0.0.11')).toContain('name = b6.six');
    const elsewhere = (await sixOf('c6', 'other')).split('/')[0] ?? '';
    expect(elsewhere).toMatch(/^fd/);
    expect(await inside('a6', `ping -6 -c 1 -W 1 ${elsewhere} >/dev/null 2>&1 || echo wall`)).toBe('wall');
    const shown =
      '{{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{end}}{{range .Containers}}{{.IPv6Address}} {{end}}';
    const told = await docker('network', 'inspect', '-f', shown, 'six');
    expect(told).toMatch(/^true 172\.\S+ fd5b:1::\/64 /);
    expect(told).toContain('fd5b:1::f00d/64');
    expect(await fails('run', '--network', 'six', '--ip6', 'fd5b:1::f00d', 'busybox')).toContain(
      'Address already in use',
    );
    expect(await fails('run', '--network', 'six', '--ip6', 'fd5b:2::1', 'busybox')).toContain(
      "Invalid address fd5b:2::1: It does not belong to any of this network's subnets",
    );
    expect(await fails('network', 'create', '--ipv6', '--subnet', 'fd5b:1::/80', 'third')).toContain(
      'Pool overlaps with other one on this address space',
    );
    await docker('network', 'disconnect', 'six', 'b6');
    await docker('network', 'connect', '--ip6', 'fd5b:1::b', 'six', 'b6');
    expect(await sixOf('b6', 'six')).toBe('fd5b:1::b/64');
    expect(await inside('b6', 'ping -6 -c 1 -W 2 a6 >/dev/null && echo answered')).toBe('answered');
    await docker('rm', '-f', 'a6', 'b6', 'c6');
    await docker('network', 'rm', 'six', 'other');
  });

  test('is absent where nobody asked for it', async () => {
    await sleeper('plain');
    await sleeper('alone', '--network', 'none');
    // As with dockerd not even on loopback: a server that listens on "localhost" is where clients look for it.
    for (const name of ['plain', 'alone'])
      expect(await inside(name, 'cat /proc/net/if_inet6 /proc/sys/net/ipv6/conf/all/disable_ipv6')).toBe('1');
    await docker('rm', '-f', 'plain', 'alone');
  });
});

describe('endpoints', () => {
  test('have link-local addresses and options of drivers that are not here, when asked for', async () => {
    await docker('network', 'create', 'far');
    const options = ['--link-local-ip', '169.254.8.8', '--driver-opt', 'org.example.key=on'];
    await sleeper('near');
    await docker('network', 'connect', ...options, 'far', 'near');
    expect(await inside('near', 'ip -o -4 addr show dev eth1')).toContain('inet 169.254.8.8/16');
    const shown = '{{with .NetworkSettings.Networks.far}}{{json .IPAMConfig}} {{json .DriverOpts}}{{end}}';
    expect(await docker('inspect', '-f', shown, 'near')).toBe(
      '{"LinkLocalIPs":["169.254.8.8"]} {"org.example.key":"on"}',
    );
    await docker('rm', '-f', 'near');
    await docker('network', 'rm', 'far');
  });
});
