import { describe, expect, it } from 'vitest';
import { admitBody, gateWith, outcomeOf } from '../../test/support/gate-fixtures.ts';
import type { Decision } from './decision.ts';
import type { GateContext } from './gate-context.ts';
import { NO_IMAGE, type ImageFacts } from './image-pattern.ts';
import { admitExec } from './privileged-gate.ts';
import type { PrivilegeRule } from './privilege-rule.ts';

const NONE = { privileged: false, capabilities: [], devices: [], securityOptions: [] };
const PULLED: ImageFacts = {
  askedName: 'docker.io/moby/buildkit:1',
  isPresent: true,
  pulledNames: ['docker.io/moby/buildkit:1'],
  digests: [],
};
const LOCAL: ImageFacts = { ...PULLED, pulledNames: [] };
const ABSENT: ImageFacts = { ...LOCAL, isPresent: false };

function gateOf(
  image: ImageFacts,
  settings: { readonly rules?: readonly PrivilegeRule[]; readonly neutralised?: readonly string[] },
): GateContext {
  const gate = gateWith(false);
  return {
    ...gate,
    allowPrivileged: { ...gate.allowPrivileged, ...settings },
    describeImage: () => image,
  };
}

const PRIVILEGED = [{ ...NONE, image: 'moby/buildkit', privileged: true }];
const SYS_ADMIN = [{ ...NONE, image: 'moby/buildkit', capabilities: ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN'] }];
const FUSE = [{ ...NONE, image: 'moby/buildkit', devices: ['/dev/fuse'] }];
const ROOTLESS = [{ ...NONE, image: 'moby/buildkit', securityOptions: ['seccomp=unconfined'] }];
const device = (path: string): object => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: '' });

describe('a rule of the operator', () => {
  it.each<[string, readonly PrivilegeRule[], object]>([
    ['--privileged', PRIVILEGED, { Privileged: true }],
    ['a part of it', PRIVILEGED, { CapAdd: ['ALL'], SecurityOpt: ['apparmor=unconfined'], MaskedPaths: [] }],
    [
      "KIND's request",
      PRIVILEGED,
      {
        Privileged: true,
        SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
        CgroupnsMode: 'private',
      },
    ],
    ['a capability', SYS_ADMIN, { CapAdd: ['sys_admin'] }],
    ['a device', FUSE, { Devices: [device('/dev/fuse')] }],
    ['an option, in its old spelling', ROOTLESS, { SecurityOpt: ['seccomp:unconfined'] }],
    [
      'a capability and a device',
      [...SYS_ADMIN, ...FUSE],
      { CapAdd: ['SYS_ADMIN'], Devices: [device('/dev/fuse')] },
    ],
  ])('opens %s for the image that it names, and for no other', (_name, rules, hostConfig) => {
    const body = { HostConfig: hostConfig };
    const ask = (image: ImageFacts): string =>
      outcomeOf(() => admitBody(body, gateOf(image, { rules }))).kind;
    expect(ask(PULLED)).toBe('admitted');
    expect(ask(LOCAL)).toBe('PermissionDenied');
    expect(ask(NO_IMAGE)).toBe('PermissionDenied');
  });

  it.each<[string, readonly PrivilegeRule[], object]>([
    ['--privileged', SYS_ADMIN, { Privileged: true }],
    ['one capability more', SYS_ADMIN, { CapAdd: ['SYS_ADMIN', 'SYS_PTRACE'] }],
    ['all capabilities', SYS_ADMIN, { CapAdd: ['ALL'] }],
    ['another device', FUSE, { Devices: [device('/dev/fuse'), device('/dev/sda')] }],
    ['a directory of devices', FUSE, { Devices: [device('/dev')] }],
    ['another option', ROOTLESS, { SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'] }],
    ["the machine's processes", PRIVILEGED, { Privileged: true, PidMode: 'host' }],
    ["the machine's IPC", PRIVILEGED, { IpcMode: 'host' }],
    ['a sysctl of the machine', PRIVILEGED, { Privileged: true, Sysctls: { 'kernel.core_pattern': 'x' } }],
  ])('does not open %s', (_name, rules, hostConfig) => {
    const outcome = outcomeOf(() => admitBody({ HostConfig: hostConfig }, gateOf(PULLED, { rules })));
    expect(outcome.kind).toBe('PermissionDenied');
    expect(outcome.text).toContain('fence: none');
  });

  it('says that there is no such image where it would hold for it once it is pulled', () => {
    const ask = (hostConfig: object): ReturnType<typeof outcomeOf> =>
      outcomeOf(() => admitBody({ HostConfig: hostConfig }, gateOf(ABSENT, { rules: PRIVILEGED })));
    expect(ask({ Privileged: true })).toEqual({ kind: 'NotFound', text: 'No such image: moby/buildkit:1' });
    expect(ask({ Privileged: true, PidMode: 'host' }).kind).toBe('PermissionDenied');
  });

  it('opens exec --privileged in containers that it made privileged', () => {
    const exec = { argv: ['x'], env: [], user: '', workingDir: '', tty: false, attachStdin: false } as const;
    const request = {
      ...exec,
      attachStdout: false,
      attachStderr: false,
      detachKeys: '',
      privileged: true,
      consoleSize: undefined,
    };
    const gate = gateOf(NO_IMAGE, { rules: PRIVILEGED });
    expect(outcomeOf(() => admitExec(request, gate, PULLED)).kind).toBe('admitted');
    expect(outcomeOf(() => admitExec(request, gate)).kind).toBe('PermissionDenied');
  });
});

describe('an image that is neutralised', () => {
  const ask = { HostConfig: { Privileged: true } };
  const gate = gateOf(LOCAL, { neutralised: ['moby/*'] });

  it('runs without what it asks for, and says so', () => {
    const { admitted, warnings } = admitBody(ask, gate);
    expect(admitted.hostConfig.Privileged).toBe(false);
    expect(admitted.security).toMatchObject({ privileged: false, seccomp: 'default' });
    expect(warnings).toEqual([expect.stringContaining('dind.neutralise')]);
  });

  it('gets nothing else that it asks for', () => {
    const more = { HostConfig: { Privileged: true, CapAdd: ['SYS_ADMIN'] } };
    expect(outcomeOf(() => admitBody(more, gate)).kind).toBe('PermissionDenied');
  });

  it('runs without it also where the gate is open', () => {
    const open = gateWith(true);
    const allowPrivileged = { ...open.allowPrivileged, neutralised: ['moby/*'] };
    const { admitted } = admitBody(ask, { ...open, allowPrivileged, describeImage: () => LOCAL });
    expect(admitted.security.privileged).toBe(false);
  });
});

describe('what the gate tells of its decisions', () => {
  function decisionsOf(body: object, gate: GateContext): readonly Decision[] {
    const told: Decision[] = [];
    outcomeOf(() => admitBody(body, { ...gate, onDecision: (decision) => void told.push(decision) }));
    return told;
  }

  it('names every field, also beside the one that decides', () => {
    expect(
      decisionsOf(
        { HostConfig: { Privileged: true, CapAdd: ['SYS_ADMIN'], Annotations: { a: 'b' } } },
        gateWith(false),
      ),
    ).toMatchObject([
      { verdict: 'refused', field: 'HostConfig.Privileged', asked: 'true', setting: 'dind.allow_privileged' },
      {
        verdict: 'refused',
        field: 'HostConfig.CapAdd',
        asked: 'SYS_ADMIN',
        setting: 'dind.allow_privileged',
      },
      { verdict: 'warned', field: 'HostConfig.Annotations' },
    ]);
  });

  it('names what was cut, and what only a setting allowed', () => {
    expect(
      decisionsOf({ HostConfig: { CpuShares: 300_000, Privileged: true } }, gateWith(true)),
    ).toMatchObject([
      { verdict: 'allowed', field: 'HostConfig.Privileged' },
      { verdict: 'warned', field: 'HostConfig.CpuShares' },
      { verdict: 'constrained', field: 'HostConfig.CpuShares', asked: '300000' },
    ]);
  });

  it('has no environment, no command and no password in it', () => {
    const body = {
      Env: ['=hunter2', 'TOKEN=hunter2'],
      Cmd: ['hunter2'],
      Healthcheck: { Test: ['hunter2'] },
      HostConfig: {
        Privileged: true,
        Mounts: [
          {
            Type: 'volume',
            Target: '/x',
            VolumeOptions: { DriverConfig: { Name: 'local', Options: { o: 'password=hunter2' } } },
          },
        ],
      },
    };
    const told = decisionsOf(body, gateWith(false));
    expect(told.map(({ field }) => field)).toEqual([
      'HostConfig.Privileged',
      'HostConfig.Mounts',
      'Config.Env',
      'Config.Healthcheck',
    ]);
    expect(JSON.stringify(told)).not.toContain('hunter2');
  });
});
