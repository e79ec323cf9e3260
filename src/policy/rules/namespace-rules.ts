import type { HostConfig } from '../../wire/host-config.ts';
import { FEATURES } from '../features.ts';
import {
  bad,
  deny,
  missing,
  quote,
  unless,
  type Finding,
  type RuleContext,
  type RuleTable,
} from '../rule.ts';

type Fields =
  | 'NetworkMode'
  | 'PidMode'
  | 'IpcMode'
  | 'UTSMode'
  | 'UsernsMode'
  | 'CgroupnsMode'
  | 'CgroupParent'
  | 'Cgroup';

const PREFIX = 'container:';
const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_. -]{0,127}$/;
const MAX_PARENT_LENGTH = 4096;
/** Modes of other engines: as names of networks they could only be meant as these. */
const FOREIGN_MODES: readonly string[] = ['private', 'slirp4netns', 'pasta', 'ns', 'container', 'keep-id'];

function checkOtherContainer(
  mode: string,
  context: RuleContext,
  supported: { readonly isSupported: boolean; readonly what: string },
): readonly Finding[] {
  const containerRef = mode.slice(PREFIX.length);
  if (containerRef === '') {
    return [bad(`invalid ${supported.what} mode: invalid container format container:<name|id>`)];
  }
  if (context.gate.findOwnContainer(containerRef) === undefined) {
    return [missing(`No such container: ${containerRef.slice(0, 200)}`)];
  }
  return supported.isSupported
    ? []
    : [{ kind: 'unsupported', message: `${supported.what} mode ${PREFIX}<name|id> is not supported` }];
}

function withContainerId(mode: string, { gate }: RuleContext): string {
  return mode.startsWith(PREFIX)
    ? `${PREFIX}${gate.findOwnContainer(mode.slice(PREFIX.length)) ?? mode.slice(PREFIX.length)}`
    : mode;
}

function networkConflicts({ request }: RuleContext): readonly Finding[] {
  const { config, hostConfig: host } = request;
  const conflicts: readonly (readonly [boolean, string])[] = [
    [
      (host.Links ?? []).length > 0,
      "container type network can't be used with links. This would result in undefined behavior",
    ],
    [(host.Dns ?? []).length > 0, 'dns and the network mode'],
    [(host.ExtraHosts ?? []).length > 0, 'custom host-to-IP mapping and the network mode'],
    [
      Object.keys(host.PortBindings).length > 0 || host.PublishAllPorts,
      'port publishing and the container type network mode',
    ],
    [Object.keys(config.ExposedPorts ?? {}).length > 0, 'port exposing and the container type network mode'],
  ];
  return conflicts.flatMap(([isAsked, what]) => (isAsked ? [bad(`conflicting options: ${what}`)] : []));
}

function checkNetworkMode(mode: string, context: RuleContext): readonly Finding[] {
  if (mode === '' || mode === 'default' || mode === 'bridge' || mode === 'none') {
    return [];
  }
  if (mode === 'host') {
    const links = context.request.hostConfig.Links ?? [];
    return links.length === 0
      ? []
      : [
          bad(
            "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
          ),
        ];
  }
  if (mode.startsWith(PREFIX)) {
    const supported = { isSupported: FEATURES.containerNetwork, what: 'network' };
    return [...networkConflicts(context), ...checkOtherContainer(mode, context, supported)];
  }
  if (FOREIGN_MODES.includes(mode) || !NETWORK_NAME.test(mode)) {
    return [bad(`invalid network mode: ${quote(mode)}`)];
  }
  return FEATURES.userNetworks
    ? []
    : [{ kind: 'unsupported', message: `network ${mode}: user-defined networks are not supported` }];
}

function checkPidMode(mode: string, context: RuleContext): readonly Finding[] {
  if (mode === '') {
    return [];
  }
  if (mode === 'host') {
    return [deny(mode)];
  }
  return mode.startsWith(PREFIX)
    ? checkOtherContainer(mode, context, { isSupported: FEATURES.containerPid, what: 'PID' })
    : [bad(`invalid PID mode: ${mode.slice(0, 200)}`)];
}

function checkIpcMode(mode: string, context: RuleContext): readonly Finding[] {
  if (['', 'none', 'private', 'shareable'].includes(mode)) {
    return [];
  }
  if (mode === 'host') {
    return [deny(mode)];
  }
  return mode.startsWith(PREFIX)
    ? checkOtherContainer(mode, context, { isSupported: FEATURES.containerIpc, what: 'IPC' })
    : [bad(`invalid IPC mode: ${mode.slice(0, 200)}`)];
}

/** The rows of the namespaces and cgroups that a container shares or has for itself. */
export const namespaceRules: RuleTable<Pick<HostConfig, Fields>> = {
  NetworkMode: {
    verdict: 'constrain',
    reason:
      "host means the job's network, container: one of the job's own containers; nothing reaches the machine's",
    check: checkNetworkMode,
    constrain: withContainerId,
  },
  PidMode: {
    verdict: 'deny',
    reason: "the machine's processes would be seen and signalled from the container",
    safer: 'run it without --pid host',
    opensWithSetting: true,
    check: checkPidMode,
    constrain: withContainerId,
  },
  IpcMode: {
    verdict: 'deny',
    reason: "the machine's shared memory and message queues would be the container's",
    safer: 'run it without --ipc host; a larger /dev/shm is --shm-size',
    opensWithSetting: true,
    check: checkIpcMode,
    constrain: withContainerId,
  },
  UTSMode: {
    verdict: 'deny',
    reason: "the machine's host name would be the container's to read and change",
    safer: 'run it without --uts host',
    opensWithSetting: true,
    check: (mode) => {
      if (mode === 'host') {
        return [deny(mode)];
      }
      return mode === '' ? [] : [bad(`invalid UTS mode: ${mode.slice(0, 200)}`)];
    },
  },
  UsernsMode: {
    verdict: 'warn',
    reason: 'no user namespaces are used, so there is none to leave',
    check: (mode) => {
      if (mode === 'host') {
        return [{ kind: 'warn', message: 'User namespaces are not used; UsernsMode has no effect.' }];
      }
      return mode === '' ? [] : [bad(`invalid user namespace mode: ${mode.slice(0, 200)}`)];
    },
  },
  CgroupnsMode: {
    verdict: 'deny',
    reason: "the machine's cgroup tree would be seen from the container",
    safer: 'run it without --cgroupns host: a private one is the default',
    opensWithSetting: true,
    check: (mode) => {
      if (mode === 'host') {
        return [deny(mode)];
      }
      return mode === '' || mode === 'private'
        ? []
        : [bad(`invalid cgroup namespace mode: ${mode.slice(0, 200)}`)];
    },
  },
  CgroupParent: {
    verdict: 'constrain',
    reason:
      "it is a group below the job's own cgroup, under a name of ours, so that the job's budget holds for all",
    check: (parent) =>
      unless(
        parent.length <= MAX_PARENT_LENGTH && !parent.includes('\0'),
        bad(`invalid CgroupParent ${quote(parent)}`),
      ),
  },
  Cgroup: {
    verdict: 'bad',
    reason: 'no engine on Linux uses it',
    check: (cgroup) => (cgroup === '' ? [] : [bad(`invalid cgroup mode: ${cgroup.slice(0, 200)}`)]),
  },
};
