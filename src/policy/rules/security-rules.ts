import type { DeviceMapping, HostConfig } from '../../wire/host-config.ts';
import { normalizeCapability, settleCapabilities, unknownCapability } from '../capabilities.ts';
import { checkDeviceRule } from '../device-rule.ts';
import { FEATURES } from '../features.ts';
import type { GateContext } from '../gate-context.ts';
import { holdsForImage, readsLike } from '../image-pattern.ts';
import { PRIVILEGED_GRANT } from '../privilege-rule.ts';
import {
  bad,
  deny,
  free,
  quote,
  unless,
  type Finding,
  type Rule,
  type RuleContext,
  type RuleTable,
} from '../rule.ts';
import { parseSecurityOptions } from '../security-options.ts';
import { checkSysctls } from '../sysctls.ts';

type Fields =
  | 'Privileged'
  | 'CapAdd'
  | 'CapDrop'
  | 'SecurityOpt'
  | 'MaskedPaths'
  | 'ReadonlyPaths'
  | 'Devices'
  | 'DeviceCgroupRules'
  | 'DeviceRequests'
  | 'Sysctls'
  | 'Runtime'
  | 'Annotations'
  | 'Isolation'
  | 'ReadonlyRootfs'
  | 'Init'
  | 'GroupAdd';

const MALFORMED_CAPABILITY = /[^A-Za-z0-9_]|^$/;

function checkCapAdd(names: readonly string[] | null, { gate, request }: RuleContext): readonly Finding[] {
  if (names === null || names.length === 0) {
    return [];
  }
  const malformed = names.find((name) => MALFORMED_CAPABILITY.test(name));
  if (malformed !== undefined) {
    return [bad(`invalid CapAdd: ${unknownCapability([malformed]) ?? ''}`)];
  }
  const unknown = unknownCapability(names);
  const { ungrantable } = settleCapabilities(
    { privileged: request.hostConfig.Privileged, add: names, drop: [] },
    gate.host,
  );
  return [
    deny(names.join(', '), {
      part: 'capabilities',
      names: names.map((name) => normalizeCapability(name) ?? name),
    }),
    ...unless(unknown === undefined, bad(`invalid CapAdd: ${unknown ?? ''}`)),
    ...ungrantable.map((name): Finding => ({
      kind: 'warn',
      message: `Capability ${name} cannot be granted on this machine; the container runs without it.`,
    })),
  ];
}

function checkCapDrop(names: readonly string[] | null): readonly Finding[] {
  const unknown = unknownCapability(names ?? []);
  return unless(unknown === undefined, bad(`invalid CapDrop: ${unknown ?? ''}`));
}

function checkSecurityOpt(options: readonly string[] | null, { gate }: RuleContext): readonly Finding[] {
  const parsed = parseSecurityOptions(options ?? []);
  if (parsed.labels.length === 0) {
    return parsed.findings;
  }
  if (gate.host.hasSelinux) {
    const message = 'SELinux labels are not supported';
    return [...parsed.findings, deny(`label=${parsed.labels.join(',')}`), { kind: 'unsupported', message }];
  }
  const message = 'SELinux is not enabled on this machine; label options are ignored.';
  return [...parsed.findings, { kind: 'warn', message }];
}

const systemPaths: Rule<readonly string[] | null> = {
  verdict: 'deny',
  reason:
    'a list of its own replaces the paths of /proc and /sys that Docker hides from containers or protects in them',
  safer: 'leave it out (the CLI sends it for --security-opt systempaths=unconfined)',
  opensWithSetting: true,
  check: (paths) => {
    const relative = (paths ?? []).find((path) => !path.startsWith('/') || path.split('/').includes('..'));
    return [
      ...unless(
        relative === undefined,
        bad(`invalid path ${quote(relative ?? '')}: it needs to be absolute`),
      ),
      ...unless(paths === null, deny(JSON.stringify(paths), PRIVILEGED_GRANT)),
    ];
  },
};

function checkDevices(devices: readonly DeviceMapping[] | null): readonly Finding[] {
  if (devices === null || devices.length === 0) return [];
  const malformed = devices.find(
    ({ PathOnHost: path, CgroupPermissions: access }) =>
      !path.startsWith('/') || !/^[rwm]{0,3}$/.test(access),
  );
  return [
    deny(JSON.stringify(devices), { part: 'devices', names: devices.map(({ PathOnHost: path }) => path) }),
    ...unless(malformed === undefined, bad(`invalid device: ${quote(malformed?.PathOnHost ?? '')}`)),
    ...devices.flatMap(({ PathInContainer: path }) => {
      const isDevice = path === '' || (path.startsWith('/') && !path.split('/').includes('..'));
      return unless(isDevice, bad(`invalid device path in the container: ${quote(path)}`));
    }),
  ];
}

function isNeutralised(imageRef: string, { allowPrivileged, describeImage }: GateContext): boolean {
  if (allowPrivileged.neutralised.length === 0) return false;
  const image = describeImage(imageRef);
  return allowPrivileged.neutralised.some((one) => readsLike(one, image) || holdsForImage(one, image));
}

/** The rows of what widens or narrows the container's own confinement. */
export const securityRules: RuleTable<Pick<HostConfig, Fields>> = {
  Privileged: {
    verdict: 'deny',
    reason: 'a privileged container is root on the machine that runs it',
    safer:
      'run it without --privileged; Testcontainers: TESTCONTAINERS_RYUK_CONTAINER_PRIVILEGED=false; buildx: --driver docker',
    opensWithSetting: true,
    check: (isAsked, { gate, request }) => {
      if (!isAsked) return [];
      if (!isNeutralised(request.config.Image, gate)) return [deny('true', PRIVILEGED_GRANT)];
      const message =
        'Privileged is not given to this image: dind.neutralise names it, and the container runs without.';
      return [{ kind: 'warn', message }];
    },
    constrain: (isAsked, { gate, request }) => isAsked && !isNeutralised(request.config.Image, gate),
  },
  CapAdd: {
    verdict: 'deny',
    reason: "capabilities beyond Docker's defaults reach the machine's own kernel",
    safer: "run it without --cap-add: Docker's 14 default capabilities are granted anyway",
    opensWithSetting: true,
    check: checkCapAdd,
  },
  CapDrop: { verdict: 'bad', reason: 'dropping is always allowed, and really drops', check: checkCapDrop },
  SecurityOpt: {
    verdict: 'deny',
    reason: 'it removes a wall between the container and the machine',
    safer:
      'run it with the built-in profiles; no-new-privileges, seccomp=builtin and profiles that allow no more than it are always allowed',
    opensWithSetting: true,
    check: checkSecurityOpt,
  },
  MaskedPaths: systemPaths,
  ReadonlyPaths: systemPaths,
  Devices: {
    verdict: 'deny',
    reason: "a device node gives the machine's hardware to the container",
    safer: 'run it without --device',
    opensWithSetting: true,
    check: checkDevices,
  },
  DeviceCgroupRules: {
    verdict: 'deny',
    reason: "a device rule lets the container make nodes for the machine's hardware",
    safer: 'run it without --device-cgroup-rule',
    opensWithSetting: true,
    check: (rules) =>
      (rules ?? []).flatMap((rule) => [deny(rule.slice(0, 200), PRIVILEGED_GRANT), ...checkDeviceRule(rule)]),
  },
  DeviceRequests: {
    verdict: 'deny',
    reason: "a device request gives the machine's hardware to the container",
    safer: 'run it without --gpus',
    opensWithSetting: true,
    check: (asked, { gate }) => {
      if (asked === null || asked.length === 0) return [];
      return gate.allowPrivileged.allowed && !FEATURES.deviceRequests
        ? [{ kind: 'unsupported', message: 'device requests (GPUs, CDI) are not supported' }]
        : [deny(JSON.stringify(asked))];
    },
  },
  Sysctls: {
    verdict: 'deny',
    reason: "only kernel parameters of the container's own network and IPC namespaces are its own",
    safer:
      'set net.* with a network of its own, kernel.msg*, kernel.sem, kernel.shm* and fs.mqueue.* with a private IPC mode',
    check: (sysctls, { request }) => checkSysctls(sysctls, request.hostConfig),
  },
  Runtime: {
    verdict: 'bad',
    reason: 'a runtime is a program that is run as root: only the configured one can be named',
    check: (runtime) =>
      unless(
        runtime === 'runc' || runtime === 'io.containerd.runc.v2',
        bad(`unknown or invalid runtime name: ${runtime.slice(0, 100)}`),
      ),
  },
  Annotations: {
    verdict: 'warn',
    reason:
      'annotations change what runtimes and their plugins do on the machine: they are kept for inspect, and passed to nobody',
    check: (annotations) =>
      Object.hasOwn(annotations, '')
        ? [bad('invalid Annotations: the empty string is not permitted as an annotation key')]
        : [{ kind: 'warn', message: 'Annotations are kept for inspect and not passed to the runtime.' }],
  },
  Isolation: {
    verdict: 'bad',
    reason: 'Windows only',
    check: (isolation) =>
      unless(
        ['', 'default'].includes(isolation.toLowerCase()),
        bad(`invalid isolation (${isolation.slice(0, 64)}): linux only supports 'default'`),
      ),
  },
  ReadonlyRootfs: free('narrows the container'),
  Init: free("runs the operator's init program inside the container"),
  GroupAdd: {
    verdict: 'bad',
    reason: 'groups are resolved in the container; numbers must be group ids',
    check: (groups) => (groups ?? []).flatMap(checkGroup),
  },
};

const MAX_ID = 2 ** 31 - 1;

function checkGroup(group: string): readonly Finding[] {
  const isNumber = /^[0-9]+$/.test(group);
  const isFine = isNumber ? Number(group) <= MAX_ID : /^[^:\s,/-][^:\s,/]{0,63}$/.test(group);
  return unless(isFine, bad(`invalid group ${quote(group)}`));
}
