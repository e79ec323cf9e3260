import { describe, expect, test } from 'vitest';

import { findAddresses, type AddressPolicy } from './url-addresses.ts';

const internet = (...allow: readonly string[]): AddressPolicy => ({
  egress: { kind: 'internet', allow },
  hasRules: false,
});
const everything: AddressPolicy = { egress: { kind: 'all' }, hasRules: false };
const ruled: AddressPolicy = { egress: { kind: 'internet', allow: [] }, hasRules: true };

const never = [
  ...['0.0.0.0', '127.0.0.1', '127.8.8.8', '169.254.169.254', '224.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::ffff:a9fe:a9fe', '::ffff:0:808:808'],
  ...['64:ff9b::a00:1', '64:ff9b::808:808', '64:ff9b:1::a00:1', 'fe80::1', 'fe80::1%eth0', 'fec0::1'],
  ...['ff02::1', 'ff0e::1', 'fd00:ec2::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42', 'fd20:ce::254'],
];
const notPublic = [
  ...['10.0.0.1', '100.64.0.1', '172.16.0.1', '192.168.1.1', '198.18.0.1'],
  ...['fc00::1', 'fd99::2', '2001:0:a00:1::1', '2001:db8::1', '2002:a00:1::1', '2002:a9fe:a9fe::1'],
  ...['100::1', '4000::1', '9000::1'],
];
const open = ['8.8.8.8', '203.0.112.255', '2606:4700::1111', '2a00:1450::1'];

/** How an address stands in a URL. */
function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

describe('an address in a URL', () => {
  test.each(never)('%s is of the machine or its link, whatever is allowed', async (address) => {
    for (const policy of [ruled, everything, internet('::/0', '0.0.0.0/0')])
      await expect(findAddresses(policy, hostOf(address))).rejects.toMatchObject({
        kind: 'PermissionDenied',
        message: expect.stringContaining('of the machine or its link alone') as string,
      });
  });

  test.each(notPublic)('%s is not public, and open where it is listed', async (address) => {
    await expect(findAddresses(internet(), hostOf(address))).rejects.toMatchObject({
      kind: 'PermissionDenied',
      message: expect.stringContaining('egress_allow') as string,
    });
    for (const policy of [everything, ruled, internet(address), internet('::/0', '0.0.0.0/0')])
      expect(await findAddresses(policy, hostOf(address))).toEqual([address]);
  });

  test.each(open)('%s is public, and closed to a job without egress', async (address) => {
    expect(await findAddresses(internet(), hostOf(address))).toEqual([address]);
    await expect(
      findAddresses({ egress: { kind: 'none' }, hasRules: true }, hostOf(address)),
    ).rejects.toMatchObject({ kind: 'PermissionDenied' });
  });

  test('a block of one family opens nothing of the other', async () => {
    await expect(findAddresses(internet('10.0.0.0/8'), '[fd99::2]')).rejects.toThrow('egress_allow');
    await expect(findAddresses(internet('fd00::/8'), '10.0.0.1')).rejects.toThrow('egress_allow');
  });
});

describe('a name in a URL', () => {
  const find = (policy: AddressPolicy, ...addresses: readonly string[]): Promise<readonly string[]> =>
    findAddresses(policy, 'web.example', () => Promise.resolve(addresses));

  test('is dialled at all of its addresses that are allowed, IPv4 first', async () => {
    expect(
      await find(internet(), '2606:4700::1', '10.0.0.1', '::1', '8.8.8.8', 'fd99::2', '8.8.4.4'),
    ).toEqual(['8.8.8.8', '8.8.4.4', '2606:4700::1']);
  });

  test.each([[['::1', '127.0.0.1']], [['fe80::1%eth0']], [['fd99::2', '10.0.0.1']], [['::ffff:10.0.0.1']]])(
    'that leads to %j alone is refused',
    async (addresses) => {
      await expect(find(internet(), ...addresses)).rejects.toMatchObject({ kind: 'PermissionDenied' });
    },
  );

  test('that nobody knows is no refusal', async () => {
    const fails = (): Promise<readonly string[]> => Promise.reject(new Error('ENOTFOUND'));
    await expect(findAddresses(internet(), 'web.example', fails)).rejects.toMatchObject({
      kind: 'Unavailable',
      message: 'dial tcp: lookup web.example: no such host',
    });
  });
});
