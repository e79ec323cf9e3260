import type { HostConfig, Ulimit } from '../../wire/host-config.ts';
import type { GateHost } from '../gate-context.ts';
import { FEATURES } from '../features.ts';
import {
  bad,
  deny,
  quote,
  unless,
  type CheckOnly,
  type Finding,
  type Rule,
  type RuleTable,
} from '../rule.ts';

type Fields =
  | 'PidsLimit'
  | 'Ulimits'
  | 'BlkioWeight'
  | 'BlkioWeightDevice'
  | 'BlkioDeviceReadBps'
  | 'BlkioDeviceWriteBps'
  | 'BlkioDeviceReadIOps'
  | 'BlkioDeviceWriteIOps'
  | 'IOMaximumIOps'
  | 'IOMaximumBandwidth'
  | 'StorageOpt';

const ULIMIT_NAMES: ReadonlySet<string> = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);
/** With these a process may go before the machine's own. */
const PRIORITY_NAMES: ReadonlySet<string> = new Set(['nice', 'rtprio', 'rttime']);

type Highest = GateHost['highestUlimits'];

/** The limit as the machine can set it; the kernel's -1, no limit, is above every number. */
function cutUlimit(ulimit: Ulimit, highest: Highest): Ulimit {
  const { Name: name, Soft: soft, Hard: hard } = ulimit;
  if (PRIORITY_NAMES.has(name)) return { ...ulimit, Soft: 0, Hard: 0 };
  const most = highest.get(name);
  const cut = (value: number): number =>
    most === undefined ? value : Math.min(value === -1 ? Infinity : value, most);
  return { ...ulimit, Soft: cut(soft), Hard: cut(hard) };
}

function checkCut(ulimit: Ulimit, highest: Highest): readonly Finding[] {
  const { Name: name, Hard: hard } = ulimit;
  const isCut = !PRIORITY_NAMES.has(name) && cutUlimit(ulimit, highest).Hard !== hard;
  const message = `Ulimit ${name} is cut to the most that this machine can set, ${String(highest.get(name))}.`;
  return isCut ? [{ kind: 'warn', message }] : [];
}

function checkUlimit(ulimit: Ulimit): readonly Finding[] {
  const { Name: name, Soft: soft, Hard: hard } = ulimit;
  if (!ULIMIT_NAMES.has(name)) {
    return [bad(`invalid ulimit type: ${name.slice(0, 64)}`)];
  }
  if (soft < -1 || hard < -1) {
    return [bad(`invalid ulimit ${name}: ${soft}:${hard}`)];
  }
  if (PRIORITY_NAMES.has(name) && (soft !== 0 || hard !== 0)) {
    return [{ kind: 'warn', message: `Ulimit ${name} is kept at 0.` }];
  }
  const isOrdered = hard === -1 || (soft !== -1 && soft <= hard);
  return unless(
    isOrdered,
    bad(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`),
  );
}

function checkUlimits(ulimits: readonly Ulimit[] | null, highest: Highest): readonly Finding[] {
  const names = (ulimits ?? []).map((ulimit) => ulimit.Name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  return [
    ...(ulimits ?? []).flatMap(checkUlimit),
    ...(ulimits ?? []).flatMap((ulimit) => checkCut(ulimit, highest)),
    ...unless(twice === undefined, bad(`ulimit ${quote(twice ?? '')} is set twice`)),
  ];
}

function blockDevices(): CheckOnly<readonly unknown[] | null> {
  return {
    verdict: 'deny',
    reason: "it names a device of the machine, and asks the daemon to look at the machine's files",
    safer: 'use --blkio-weight',
    opensWithSetting: true,
    check: (devices, { gate }) => {
      if (devices === null || devices.length === 0) {
        return [];
      }
      return gate.allowPrivileged.allowed && !FEATURES.deviceLimits
        ? [{ kind: 'unsupported', message: 'limits on devices of the host are not supported' }]
        : [deny(JSON.stringify(devices))];
    },
  };
}

const windowsOnly: Rule<number> = {
  verdict: 'bad',
  reason: 'Windows only',
  check: (value) =>
    unless(
      value === 0,
      bad('Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps'),
    ),
};

/** The rows of processes, block I/O and storage. */
export const limitRules: RuleTable<Pick<HostConfig, Fields>> = {
  PidsLimit: {
    verdict: 'constrain',
    reason: "a container's limit narrows the job's",
    check: (limit, { gate: { host, budget } }) => [
      ...unless(limit === null || limit <= 0 || host.limits.pids, {
        kind: 'warn',
        message:
          'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
      }),
      ...unless(limit === null || limit <= (budget.pids ?? Infinity), {
        kind: 'warn',
        message: `PidsLimit is cut to the job's budget, ${String(budget.pids)}.`,
      }),
    ],
    constrain: (limit, { gate: { host, budget } }) => {
      if (limit === null || !host.limits.pids) return null;
      return limit > 0 ? Math.min(limit, budget.pids ?? Infinity) : 0;
    },
  },
  Ulimits: {
    verdict: 'constrain',
    reason: 'scheduling priorities stay as they are, and nothing goes above what the machine can set',
    check: (ulimits, { gate }) => checkUlimits(ulimits, gate.host.highestUlimits),
    constrain: (ulimits, { gate }) =>
      ulimits?.map((ulimit) => cutUlimit(ulimit, gate.host.highestUlimits)) ?? null,
  },
  BlkioWeight: {
    verdict: 'constrain',
    reason: "a container's weight counts within the job's own cgroup",
    check: (weight, { gate }) => [
      ...unless(
        weight === 0 || (weight >= 10 && weight <= 1000),
        bad('Range of blkio weight is from 10 to 1000'),
      ),
      ...unless(weight === 0 || gate.host.limits.blkioWeight, {
        kind: 'warn',
        message:
          'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
      }),
    ],
    constrain: (weight, { gate }) => (gate.host.limits.blkioWeight ? weight : 0),
  },
  BlkioWeightDevice: blockDevices(),
  BlkioDeviceReadBps: blockDevices(),
  BlkioDeviceWriteBps: blockDevices(),
  BlkioDeviceReadIOps: blockDevices(),
  BlkioDeviceWriteIOps: blockDevices(),
  IOMaximumIOps: windowsOnly,
  IOMaximumBandwidth: windowsOnly,
  StorageOpt: {
    verdict: 'bad',
    reason: 'the snapshotter has no options of a container',
    check: () => [bad("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")],
  },
};
