import type { CreateRequest } from '../../wire/create-request.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import { numbersOfList } from '../cpu-list.ts';
import type { Budget, GateHost } from '../gate-context.ts';
import { bad, deny, unless, type Finding, type Rule, type RuleTable } from '../rule.ts';

type Fields =
  | 'CpuShares'
  | 'NanoCpus'
  | 'CpuPeriod'
  | 'CpuQuota'
  | 'CpuRealtimePeriod'
  | 'CpuRealtimeRuntime'
  | 'CpusetCpus'
  | 'CpusetMems'
  | 'CpuCount'
  | 'CpuPercent';

const NARROWS = "a container's limit narrows the job's";
const NO_CFS = 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.';
const NO_CPUSET = 'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.';
const NO_SHARES = 'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.';
const MAX_SHARES = 262_144;
const NANO = 1e9;
const CFS_PERIOD_US = 100_000;

function warn(message: string): Finding {
  return { kind: 'warn', message };
}

function hasCfs(host: GateHost): boolean {
  return host.limits.cpuCfsPeriod && host.limits.cpuCfsQuota;
}

function cutTo({ cpus }: Budget): string {
  return `The CPU limit is cut to the job's budget, ${cpus} CPUs.`;
}

/** The quota that is the whole budget, for the period asked for. */
function largestQuota({ hostConfig }: CreateRequest, { cpus }: Budget): number {
  return Math.floor((hostConfig.CpuPeriod > 0 ? hostConfig.CpuPeriod : CFS_PERIOD_US) * cpus);
}

function checkNanoCpus(nanoCpus: number, host: GateHost): readonly Finding[] {
  if (nanoCpus === 0) {
    return [];
  }
  if (!hasCfs(host)) {
    return [
      bad(
        'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
      ),
    ];
  }
  // Below 0.01 the quota would be under the kernel's least, a millisecond.
  const isInRange = nanoCpus >= NANO / 100 && nanoCpus <= host.cpus * NANO;
  return unless(
    isInRange,
    bad(`Range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`),
  );
}

interface CpusetWords {
  /** As in `Invalid value 1- for cpuset cpus`. */
  readonly list: string;
  /** As in `Requested CPUs are not available`. */
  readonly things: string;
  /** What may be asked for; empty where nothing says so. */
  readonly available: string;
}

function checkCpuset(
  asked: string,
  { list, things, available }: CpusetWords,
  host: GateHost,
): readonly Finding[] {
  const numbers = numbersOfList(asked);
  if (!numbers) {
    return [bad(`Invalid value ${asked.slice(0, 200)} for cpuset ${list}`)];
  }
  if (asked === '') {
    return [];
  }
  if (!host.limits.cpuSet) {
    return [warn(NO_CPUSET)];
  }
  const there = numbersOfList(available) ?? new Set();
  return unless(
    available === '' || [...numbers].every((number) => there.has(number)),
    bad(`Requested ${things} are not available - requested ${asked.slice(0, 200)}, available: ${available}`),
  );
}

const realtime: Rule<number> = {
  verdict: 'deny',
  reason: 'real-time processes go before everything else on the machine',
  safer: 'use --cpu-shares or --cpus',
  check: (value) => unless(value === 0, deny(String(value))),
};

const windowsOnly: Rule<number> = {
  verdict: 'warn',
  reason: 'Windows only',
  check: (value) => unless(value === 0, warn('linux does not support CPU count and CPU percent. Discarded.')),
  constrain: () => 0,
};

/** The rows of processors. */
export const cpuRules: RuleTable<Pick<HostConfig, Fields>> = {
  CpuShares: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (shares, { gate }) => [
      ...unless(shares >= 0, bad(`invalid CPU shares (${shares}): value must be a positive integer`)),
      ...unless(shares <= MAX_SHARES, warn(`CpuShares is cut to the kernel's most, ${MAX_SHARES}.`)),
      ...unless(shares === 0 || gate.host.limits.cpuShares, warn(NO_SHARES)),
    ],
    constrain: (shares, { gate }) => (gate.host.limits.cpuShares ? Math.min(shares, MAX_SHARES) : 0),
  },
  NanoCpus: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (nanoCpus, { gate, request }) => [
      ...unless(
        nanoCpus <= 0 || request.hostConfig.CpuPeriod <= 0,
        bad('Conflicting options: Nano CPUs and CPU Period cannot both be set'),
      ),
      ...unless(
        nanoCpus <= 0 || request.hostConfig.CpuQuota <= 0,
        bad('Conflicting options: Nano CPUs and CPU Quota cannot both be set'),
      ),
      ...checkNanoCpus(nanoCpus, gate.host),
      ...unless(nanoCpus <= gate.budget.cpus * NANO, warn(cutTo(gate.budget))),
    ],
    constrain: (nanoCpus, { gate }) => Math.min(nanoCpus, Math.floor(gate.budget.cpus * NANO)),
  },
  CpuPeriod: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (period, { gate }) => [
      ...unless(
        period === 0 || (period >= 1000 && period <= 1_000_000),
        bad('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'),
      ),
      ...unless(period === 0 || hasCfs(gate.host), warn(NO_CFS)),
    ],
    constrain: (period, { gate }) => (hasCfs(gate.host) ? period : 0),
  },
  CpuQuota: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (quota, { gate, request }) => [
      ...unless(quota <= 0 || quota >= 1000, bad('CPU cfs quota can not be less than 1ms (i.e. 1000)')),
      ...unless(quota >= -1, bad('CPU cfs quota can not be less than 1ms (i.e. 1000)')),
      ...unless(quota === 0 || hasCfs(gate.host), warn(NO_CFS)),
      ...unless(quota <= largestQuota(request, gate.budget), warn(cutTo(gate.budget))),
    ],
    constrain: (quota, { gate, request }) =>
      hasCfs(gate.host) ? Math.min(quota, largestQuota(request, gate.budget)) : 0,
  },
  CpuRealtimePeriod: realtime,
  CpuRealtimeRuntime: realtime,
  CpusetCpus: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (list, { gate: { host, budget } }) =>
      checkCpuset(list, { list: 'cpus', things: 'CPUs', available: budget.cpuset.cpus }, host),
    constrain: (list, { gate }) => (gate.host.limits.cpuSet ? list : ''),
  },
  CpusetMems: {
    verdict: 'constrain',
    reason: NARROWS,
    check: (list, { gate: { host, budget } }) =>
      checkCpuset(list, { list: 'mems', things: 'memory nodes', available: budget.cpuset.mems }, host),
    constrain: (list, { gate }) => (gate.host.limits.cpuSet ? list : ''),
  },
  CpuCount: windowsOnly,
  CpuPercent: windowsOnly,
};
