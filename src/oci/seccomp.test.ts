import { describe, expect, it } from 'vitest';
import { defaultSeccomp } from './seccomp.ts';
import type { OciSyscallRule } from './spec-types.ts';

const AMD64 = { architecture: 'amd64', kernelVersion: '6.1.0-18-amd64' };

function rulesFor(name: string, capabilities: readonly string[], host = AMD64): readonly OciSyscallRule[] {
  return defaultSeccomp(capabilities, host).syscalls.filter((rule) => rule.names.includes(name));
}

describe('defaultSeccomp', () => {
  it('refuses with EPERM what it does not name', () => {
    expect(defaultSeccomp([], AMD64)).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1 });
  });

  it.each([
    'mount',
    'unshare',
    'setns',
    'bpf',
    'keyctl',
    'add_key',
    'kexec_load',
    'init_module',
    'userfaultfd',
    'io_uring_setup',
    'perf_event_open',
    'open_by_handle_at',
    'pivot_root',
    'reboot',
    'swapon',
    'move_mount',
    'fsopen',
  ])('keeps %s from a container without capabilities', (name) => {
    expect(rulesFor(name, [])).toEqual([]);
  });

  it.each(['read', 'openat2', 'execve', 'futex_wait', 'landlock_create_ruleset', 'statx'])(
    'allows %s',
    (name) => {
      expect(rulesFor(name, [])).toContainEqual(expect.objectContaining({ action: 'SCMP_ACT_ALLOW' }));
    },
  );

  it.each([
    ['mount', 'CAP_SYS_ADMIN'],
    ['init_module', 'CAP_SYS_MODULE'],
    ['chroot', 'CAP_SYS_CHROOT'],
    ['bpf', 'CAP_BPF'],
    ['syslog', 'CAP_SYSLOG'],
    ['open_by_handle_at', 'CAP_DAC_READ_SEARCH'],
  ])('allows %s with %s', (name, capability) => {
    expect(rulesFor(name, [])).toEqual([]);
    expect(rulesFor(name, [capability])).toHaveLength(1);
  });

  it('has clone without namespaces, and no clone3, unless the container may make namespaces', () => {
    const args = [{ index: 0, value: 0x7e020000, op: 'SCMP_CMP_MASKED_EQ' }];
    expect(rulesFor('clone', [])).toEqual([expect.objectContaining({ names: ['clone'], args })]);
    expect(rulesFor('clone3', [])).toEqual([{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }]);
    expect(rulesFor('clone', ['CAP_SYS_ADMIN'])).toEqual([expect.not.objectContaining({ args })]);
    const onS390 = rulesFor('clone', [], { ...AMD64, architecture: 's390x' });
    expect(onS390).toEqual([expect.objectContaining({ args: [{ ...args[0], index: 1 }] })]);
  });

  it('allows ptrace from the kernel that made it safe', () => {
    expect(rulesFor('ptrace', [])).toHaveLength(1);
    expect(rulesFor('ptrace', [], { ...AMD64, kernelVersion: '4.7.10' })).toEqual([]);
    expect(rulesFor('ptrace', [], { ...AMD64, kernelVersion: '4.18.0' })).toHaveLength(1);
    expect(rulesFor('ptrace', [], { ...AMD64, kernelVersion: 'unknown' })).toEqual([]);
  });

  it('names the architectures whose system calls it filters', () => {
    expect(defaultSeccomp([], AMD64).architectures).toEqual([
      'SCMP_ARCH_X86_64',
      'SCMP_ARCH_X86',
      'SCMP_ARCH_X32',
    ]);
    expect(defaultSeccomp([], { ...AMD64, architecture: 'arm64' }).architectures).toEqual([
      'SCMP_ARCH_AARCH64',
      'SCMP_ARCH_ARM',
    ]);
    expect(rulesFor('arch_prctl', [])).toHaveLength(1);
    expect(rulesFor('arch_prctl', [], { ...AMD64, architecture: 'arm64' })).toEqual([]);
  });
});
