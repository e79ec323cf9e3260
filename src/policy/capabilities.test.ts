import { describe, expect, it } from 'vitest';
import {
  CAPABILITY_NAMES,
  grantableCapabilities,
  normalizeCapability,
  settleCapabilities,
  unknownCapability,
} from './capabilities.ts';

const ALL_OF_THEM = { lastCap: 40, boundingSet: (1n << 41n) - 1n };
const DOCKER_DEFAULT_MASK = 0xa80425fbn;

function maskOf(names: readonly string[]): bigint {
  return names.reduce(
    (mask, name) => mask | (1n << BigInt(CAPABILITY_NAMES.findIndex((known) => known === name))),
    0n,
  );
}

describe('names', () => {
  it.each([
    ['SYS_ADMIN', 'CAP_SYS_ADMIN'],
    ['cap_sys_admin', 'CAP_SYS_ADMIN'],
    ['Cap_Chown', 'CAP_CHOWN'],
    ['all', 'ALL'],
    ['CAP_ALL', undefined],
    ['NOPE', undefined],
    ['', undefined],
    ['CHOWN ', undefined],
    ['toString', undefined],
  ])('%s is %s', (name, known) => {
    expect(normalizeCapability(name)).toBe(known);
  });

  it('has the words of dockerd for a name nobody knows', () => {
    expect(unknownCapability(['chown', 'nope'])).toBe('unknown capability: "CAP_NOPE"');
    expect(unknownCapability(['chown'])).toBeUndefined();
  });
});

describe('settleCapabilities', () => {
  const settle = (add: string[], drop: string[], host = ALL_OF_THEM): readonly string[] =>
    settleCapabilities({ privileged: false, add, drop }, host).granted;

  it("grants Docker's fourteen by default", () => {
    expect(maskOf(settle([], []))).toBe(DOCKER_DEFAULT_MASK);
  });

  it.each<[string[], string[], string[]]>([
    [['NET_ADMIN'], ['ALL'], ['CAP_NET_ADMIN']],
    [['cap_chown', 'Chown'], ['all'], ['CAP_CHOWN']],
    [[], ['all'], []],
    [['ALL'], ['ALL'], [...CAPABILITY_NAMES]],
    [['ALL'], ['SYS_ADMIN'], CAPABILITY_NAMES.filter((name) => name !== 'CAP_SYS_ADMIN')],
  ])('add %j, drop %j', (add, drop, expected) => {
    expect(settle(add, drop)).toEqual(expected);
  });

  it('drops one of the defaults and adds another one', () => {
    expect(maskOf(settle(['SYS_TIME'], ['NET_RAW']))).toBe(
      (DOCKER_DEFAULT_MASK & ~(1n << 13n)) | (1n << 25n),
    );
  });

  it('grants nothing that the machine cannot, and names what was asked for by name', () => {
    const host = { lastCap: 37, boundingSet: ((1n << 41n) - 1n) & ~(1n << 24n) & ~1n };
    const asked = { privileged: false, add: ['SYS_RESOURCE', 'BPF', 'SYS_TIME'], drop: [] };
    const { granted, ungrantable } = settleCapabilities(asked, host);
    expect(ungrantable).toEqual(['CAP_SYS_RESOURCE', 'CAP_BPF']);
    expect(granted).not.toContain('CAP_CHOWN');
    expect(granted).toContain('CAP_SYS_TIME');
    expect(settleCapabilities({ ...asked, add: ['ALL'] }, host).ungrantable).toEqual([]);
    expect(settleCapabilities({ ...asked, privileged: true, add: [] }, host).granted).toEqual(
      grantableCapabilities(host),
    );
  });
});
