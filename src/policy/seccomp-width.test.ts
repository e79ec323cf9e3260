import { describe, expect, it } from 'vitest';
import { inDockersFormat } from '../../test/support/seccomp-format.ts';
import { ownSeccomp, defaultSeccomp } from '../oci/seccomp.ts';
import { decodeSeccompProfile, type SeccompProfile } from './seccomp-profile.ts';
import { parseSecurityOptions } from './security-options.ts';
import { findWider } from './seccomp-width.ts';

type Json = Readonly<Record<string, unknown>>;

const MACHINE = { architecture: 'amd64', kernelVersion: '6.1.0' };

function decoded(profile: unknown): SeccompProfile {
  const result = decodeSeccompProfile(JSON.stringify(profile));
  if (typeof result === 'string') throw new Error(result);
  return result;
}

const allowing = (rule: Json): Json => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ action: 'SCMP_ACT_ALLOW', ...rule }],
});

describe('a profile', () => {
  it('that is the built-in one is no wider, and becomes the same filter', () => {
    const profile = decoded(inDockersFormat());
    expect(findWider(profile)).toBeUndefined();
    for (const capabilities of [[], ['CAP_SYS_ADMIN'], ['CAP_SYS_CHROOT', 'CAP_BPF']]) {
      const own = ownSeccomp(profile, capabilities, MACHINE);
      const standard = defaultSeccomp(capabilities, MACHINE);
      const plain = (filter: typeof own): unknown =>
        filter.syscalls.map(({ args, ...rule }) => ({
          ...rule,
          args: args?.map(({ index, op, value }) => ({ index, op, value })),
        }));
      expect(plain(own)).toEqual(plain(standard));
      expect(own.architectures).toEqual(standard.architectures);
    }
  });

  it.each<[string, Json]>([
    ['nothing at all', { defaultAction: 'SCMP_ACT_KILL_PROCESS' }],
    ['one call', allowing({ names: ['read'] })],
    ['one call by the old member', allowing({ name: 'read' })],
    ['one call with a condition more', allowing({ names: ['read'], includes: { caps: ['CAP_SYS_ADMIN'] } })],
    [
      'one call with an argument',
      allowing({ names: ['read'], args: [{ index: 0, value: 3, op: 'SCMP_CMP_EQ' }] }),
    ],
    [
      'what a capability gives',
      allowing({ names: ['mount'], includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
    ],
    ['null for nothing', allowing({ names: ['read'], args: null, includes: null, excludes: {} })],
    ['ptrace of new kernels', allowing({ names: ['ptrace'], includes: { minKernel: '4.8' } })],
    [
      'refusals of any call',
      { defaultAction: 'SCMP_ACT_TRAP', syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_KILL' }] },
    ],
  ])('with %s is no wider', (_, profile) => {
    expect(findWider(decoded(profile))).toBeUndefined();
    expect(parseSecurityOptions([`seccomp=${JSON.stringify(profile)}`]).findings).toEqual([]);
  });

  it.each<[string, Json]>([
    ['mount', { names: ['read', 'mount'] }],
    ['mount', { names: ['mount'], includes: { caps: ['CAP_BPF'] } }],
    ['unshare', { names: ['unshare'], excludes: { caps: ['CAP_SYS_ADMIN'] } }],
    ['clone', { names: ['clone'] }],
    [
      'clone',
      {
        names: ['clone'],
        args: [{ index: 0, value: 0, op: 'SCMP_CMP_MASKED_EQ' }],
        excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390', 's390x'] },
      },
    ],
    ['clone3', { names: ['clone3'] }],
    ['personality', { names: ['personality'] }],
    ['personality', { names: ['personality'], args: [{ index: 0, value: 0, op: 'SCMP_CMP_NE' }] }],
    [
      'personality',
      {
        names: ['personality'],
        args: [
          { index: 0, value: 0, op: 'SCMP_CMP_EQ' },
          { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
        ],
      },
    ],
    ['socket', { names: ['socket'] }],
    ['socket', { names: ['socket'], args: [{ index: 0, value: 40, op: 'SCMP_CMP_EQ' }] }],
    ['ptrace', { names: ['ptrace'], includes: { minKernel: '3.1' } }],
    ['ptrace', { names: ['ptrace'] }],
    ['s390_runtime_instr', { names: ['s390_runtime_instr'] }],
    ['no_such_call', { names: ['no_such_call'] }],
  ])('that allows more of %s is wider: %j', (name, rule) => {
    expect(findWider(decoded(allowing(rule)))).toBe(name);
    expect(parseSecurityOptions([`seccomp=${JSON.stringify(allowing(rule))}`]).findings).toEqual([
      expect.objectContaining({ kind: 'deny' }),
    ]);
  });

  it.each<[string, unknown]>([
    ['an allowing default', { defaultAction: 'SCMP_ACT_ALLOW' }],
    ['a logging default', { defaultAction: 'SCMP_ACT_LOG' }],
    ['no default', { syscalls: [] }],
    [
      'a traced call',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_TRACE' }] },
    ],
    [
      'a notified call',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }] },
    ],
    ['flags', { defaultAction: 'SCMP_ACT_ERRNO', flags: ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'] }],
    ['a listener', { defaultAction: 'SCMP_ACT_ERRNO', listenerPath: '/run/x' }],
    [
      'a member in another case',
      { defaultAction: 'SCMP_ACT_ERRNO', Syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_ALLOW' }] },
    ],
    ['an unknown condition', allowing({ names: ['read'], includes: { uid: 0 } })],
    ['a condition that is no list', allowing({ names: ['read'], includes: { caps: 'CAP_BPF' } })],
    [
      'a value past all integers',
      allowing({ names: ['read'], args: [{ index: 0, value: 2 ** 60, op: 'SCMP_CMP_EQ' }] }),
    ],
    ['an unknown operator', allowing({ names: ['read'], args: [{ index: 0, value: 0, op: 'SCMP_CMP_X' }] })],
    ['both kinds of names', allowing({ name: 'read', names: ['write'] })],
    ['a list', []],
    ['null', null],
  ])('with %s is not understood', (_, profile) => {
    expect(decodeSeccompProfile(JSON.stringify(profile))).toBeTypeOf('string');
  });

  it('never covers more architectures than the built-in one', () => {
    const profile = decoded({
      defaultAction: 'SCMP_ACT_ERRNO',
      architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_ARM'],
    });
    expect(ownSeccomp(profile, [], MACHINE).architectures).toEqual(['SCMP_ARCH_X86']);
    const none = decoded({ defaultAction: 'SCMP_ACT_ERRNO' });
    expect(ownSeccomp(none, [], MACHINE).architectures).toEqual(['SCMP_ARCH_X86_64']);
  });
});
