import { describe, expect, test } from 'vitest';

import { addressBytes, formatSix } from './address-bytes.ts';
import { egressRules, resolverRules } from './egress.ts';
import { isolatedNetnsName, jobMark, sandboxPath } from './names.ts';
import { elementChanges, elementsOf } from './rule-sets.ts';
import { bridgeTable, uplinkTable } from './rule-tables.ts';
import { createWarmPool } from './warm-pool.ts';

const uplink = { hostLink: 'berth-u7', jobAddress: '198.18.0.15' };

describe('egress rules', () => {
  test('link-local and loopback addresses are closed whatever is allowed', () => {
    for (const egress of [{ kind: 'internet', allow: ['169.254.0.0/16'] }, { kind: 'all' }] as const) {
      const rules = egressRules(egress);
      const closed = rules.findIndex((rule) => rule.includes('169.254.0.0/16') && rule.endsWith('drop'));
      const opened = rules.findIndex((rule) => rule.endsWith('return'));
      expect(closed).toBeGreaterThanOrEqual(0);
      expect(opened === -1 || opened > closed).toBe(true);
    }
  });

  test('an allow list opens before private ranges close, without the overlaps that nft refuses', () => {
    const rules = egressRules({
      kind: 'internet',
      allow: ['10.1.0.0/16', '10.1.2.3', '10.1.9.9/16', '192.168.1.1'],
    });
    expect(rules).toContain('ip daddr { 10.1.0.0/16, 192.168.1.1/32 } return');
    const at = (pattern: RegExp): number => rules.findIndex((rule) => pattern.test(rule));
    expect(at(/return$/)).toBeLessThan(at(/10\.0\.0\.0\/8.*drop$/));
  });

  test('an allow list may have both families, and IPv6 is public addresses besides', () => {
    const rules = egressRules({ kind: 'internet', allow: ['fd01::/16', '10.0.0.1', 'fd01:2::3', 'fd02::1'] });
    expect(rules).toContain('ip daddr { 10.0.0.1/32 } return');
    expect(rules).toContain('ip6 daddr { fd01::/16, fd02::1/128 } return');
    const at = (text: string): number => rules.findIndex((rule) => rule.includes(text));
    expect(at('fd00:ec2::/32')).toBeLessThan(at('fd01::/16'));
    expect(at('fd01::/16')).toBeLessThan(at('ip6 daddr != 2000::/3 drop'));
  });

  test('nothing at all is open to a job without egress, resolvers included', () => {
    expect(egressRules({ kind: 'none' })).toEqual(['drop']);
    expect(resolverRules({ kind: 'none' }, ['10.0.0.1'])).toEqual([]);
  });

  test('an allow list cannot carry rules', () => {
    expect(() => egressRules({ kind: 'internet', allow: ['10.0.0.0/8 } accept; #'] })).toThrow(
      'invalid subnet',
    );
  });
});

describe('rule tables', () => {
  test('replace what the job had in one transaction', () => {
    const text = uplinkTable('berth-x', uplink, { egress: { kind: 'all' }, resolvers: [] });
    expect(text.startsWith('add table inet berth-x\ndelete table inet berth-x\ntable inet berth-x {\n')).toBe(
      true,
    );
    expect(text).not.toContain('{  }');
  });

  test('begin with the bridges there are', () => {
    const text = bridgeTable({
      mark: 'berth-x',
      bridges: [
        { name: 'docker0', subnet: '172.17.0.0/16', isInternal: false, hasMasquerade: true },
        { name: 'br-1', subnet: '172.18.0.0/16', isInternal: true, hasMasquerade: true },
      ],
    });
    expect(text).toContain(
      'set same { type ifname . ifname; elements = { "docker0" . "docker0", "br-1" . "br-1" }; }',
    );
    expect(text).toContain('set internal { type ifname; elements = { "br-1" }; }');
    expect(text).toContain('flags interval; elements = { 172.17.0.0/16 }; }');
    expect(text).toContain('map ports_tcp { type inet_service : ipv4_addr . inet_service; }');
    expect(text).not.toContain('egress');
  });
});

describe('changes of rules', () => {
  const bridge = { name: 'br-1', subnet: '10.1.0.0/24', isInternal: false, hasMasquerade: false };
  const port = {
    protocol: 'tcp',
    hostIp: '0.0.0.0',
    hostPort: 8080,
    address: '10.1.0.2',
    containerPort: 80,
  } as const;
  const none = elementsOf({ bridges: [], ports: [] });

  test('are only what differs, removals apart from additions', () => {
    const [a, b] = [
      elementsOf({ bridges: [bridge], ports: [port] }),
      elementsOf({ bridges: [bridge], ports: [{ ...port, address: '10.1.0.3' }] }),
    ];
    expect(elementChanges(a, a)).toEqual([]);
    expect(elementChanges(none, a).map(({ kind, set }) => `${kind} ${set}`)).toEqual([
      'add bridges',
      'add same',
      'add subnets',
      'add ports_tcp',
    ]);
    const moved = elementChanges(a, b);
    expect(moved.map(({ kind, set, elements }) => [kind, set, elements[0]?.data?.toString('hex')])).toEqual([
      ['remove', 'ports_tcp', '0a01000200500000'],
      ['add', 'ports_tcp', '0a01000300500000'],
    ]);
    expect(elementChanges(a, none).every(({ kind }) => kind === 'remove')).toBe(true);
  });

  test('a port of one address is told apart from one of all', () => {
    const changes = elementChanges(
      none,
      elementsOf({ bridges: [], ports: [{ ...port, hostIp: '127.0.0.1' }] }),
    );
    expect(changes.map(({ set, elements }) => [set, elements[0]?.key.toString('hex')])).toEqual([
      ['binds_tcp', '7f0000011f900000'],
    ]);
  });
});

describe('addresses as bytes', () => {
  test.each([
    ['10.0.0.1', '0a000001'],
    ['::', '00'.repeat(16)],
    ['::1', `${'00'.repeat(15)}01`],
    ['fd00::1:2', `fd00${'00'.repeat(10)}00010002`],
    ['::ffff:1.2.3.4', `${'00'.repeat(10)}ffff01020304`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ])('%s', (text, hex) => {
    expect(addressBytes(text).toString('hex')).toBe(hex);
  });

  test.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::', '::'],
    ['FE80::0', 'fe80::'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ])('%s is written %s', (text, short) => {
    expect(formatSix(addressBytes(text))).toBe(short);
  });

  test.each(['', '1.2.3', 'x', '1::2::3'])('%j is none', (text) => {
    expect(() => addressBytes(text)).toThrow('invalid IP address');
  });
});

describe('names', () => {
  test.each(['', '../x', 'a b', 'a/b', 'a"b', '-a', 'a\n', 'a.b', 'x'.repeat(101)])(
    'the job name %j is refused',
    (slug) => {
      expect(() => jobMark(slug)).toThrow('invalid job name');
      expect(() => isolatedNetnsName(slug)).toThrow('invalid job name');
    },
  );

  test.each(['', 'abc', '../../../etc/passwd', 'A'.repeat(64), `${'a'.repeat(63)}\n`])(
    'the container id %j is refused',
    (id) => {
      expect(() => sandboxPath('/run/berth/x', id)).toThrow('invalid container id');
    },
  );
});

describe('the warm pool', () => {
  test('makes nothing before the first refill, then keeps its size', async () => {
    let made = 0;
    const pool = createWarmPool({
      size: 2,
      make: async () => Promise.resolve((made += 1)),
      onError: () => undefined,
    });
    expect(pool.take()).toBeUndefined();
    expect(made).toBe(0);
    pool.refill();
    await expect.poll(() => made).toBe(2);
    expect([pool.take(), pool.take(), pool.take()]).toEqual([1, 2, undefined]);
    pool.refill();
    expect(await pool.close()).toEqual([3]);
    pool.refill();
    expect(pool.take()).toBeUndefined();
    expect(made).toBe(3);
  });

  test('a failure is told, and the next refill tries again', async () => {
    const errors: unknown[] = [];
    const makes = [() => Promise.reject(new Error('full')), () => Promise.resolve('one')];
    const make = (): Promise<string> => (makes.shift() ?? (() => Promise.resolve('more')))();
    const pool = createWarmPool({ size: 1, make, onError: (error) => errors.push(error) });
    pool.refill();
    await expect.poll(() => errors).toHaveLength(1);
    pool.refill();
    await expect.poll(() => pool.take()).toBe('one');
    await pool.close();
  });
});
