import type { HostConfig } from '../../wire/host-config.ts';
import type { GateContext } from '../gate-context.ts';
import { bad, deny, unless, type Finding, type RuleTable } from '../rule.ts';

type Fields =
  | 'Memory'
  | 'MemoryReservation'
  | 'MemorySwap'
  | 'MemorySwappiness'
  | 'OomKillDisable'
  | 'OomScoreAdj'
  | 'KernelMemory'
  | 'KernelMemoryTCP'
  | 'ShmSize';

const MIN_MEMORY = 6 * 1024 * 1024;
const NO_MEMORY_LIMIT =
  'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.';
const NO_SOFT_LIMIT =
  'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.';
const NO_SWAP_LIMIT =
  'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
const NO_SWAPPINESS =
  'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.';

function warn(message: string): Finding {
  return { kind: 'warn', message };
}

/** Said where a limit is above what the whole job has. */
function cut(name: string, asked: number, { budget }: GateContext): readonly Finding[] {
  return unless(
    asked <= budget.memoryBytes,
    warn(`${name} is cut to the job's budget, ${budget.memoryBytes} bytes.`),
  );
}

function checkReservation(reservation: number, memory: number): readonly Finding[] {
  if (reservation < 0 || (reservation > 0 && reservation < MIN_MEMORY)) {
    return [bad('Minimum memory reservation allowed is 6MB')];
  }
  return unless(
    memory <= 0 || reservation <= memory,
    bad('Minimum memory limit can not be less than memory reservation limit, see usage'),
  );
}

function checkSwap(swap: number, memory: number): readonly Finding[] {
  if (swap < -1) {
    return [bad('Minimum memoryswap limit should be larger than memory limit, see usage')];
  }
  if (memory === 0) {
    return unless(
      swap <= 0,
      bad('You should always set the Memory limit when using Memoryswap limit, see usage'),
    );
  }
  return unless(
    swap <= 0 || swap >= memory,
    bad('Minimum memoryswap limit should be larger than memory limit, see usage'),
  );
}

/** The rows of memory. Limits only narrow: the job's own cgroup stands above all of them. */
export const memoryRules: RuleTable<Pick<HostConfig, Fields>> = {
  Memory: {
    verdict: 'constrain',
    reason: "a container's limit narrows the job's",
    check: (memory, { gate }) => {
      if (memory !== 0 && memory < MIN_MEMORY) {
        return [bad('Minimum memory limit allowed is 6MB')];
      }
      return gate.host.limits.memory
        ? cut('Memory', memory, gate)
        : unless(memory === 0, warn(NO_MEMORY_LIMIT));
    },
    constrain: (memory, { gate }) =>
      gate.host.limits.memory ? Math.min(memory, gate.budget.memoryBytes) : 0,
  },
  MemoryReservation: {
    verdict: 'constrain',
    reason: "a container's limit narrows the job's",
    check: (reservation, { gate, request }) => [
      ...checkReservation(reservation, request.hostConfig.Memory),
      ...(gate.host.limits.memory
        ? cut('MemoryReservation', reservation, gate)
        : unless(reservation === 0, warn(NO_SOFT_LIMIT))),
    ],
    constrain: (reservation, { gate }) =>
      gate.host.limits.memory ? Math.min(reservation, gate.budget.memoryBytes) : 0,
  },
  MemorySwap: {
    verdict: 'constrain',
    reason: "twice the memory unless asked; -1 means up to the job's own limit",
    check: (swap, { gate, request }) => {
      const { Memory: memory } = request.hostConfig;
      return [
        ...checkSwap(swap, memory),
        ...unless(memory === 0 || swap === -1 || gate.host.limits.swap, warn(NO_SWAP_LIMIT)),
        ...(memory > 0 && gate.host.limits.swap ? cut('MemorySwap', swap, gate) : []),
      ];
    },
    constrain: (swap, { gate, request }) => {
      const { Memory: memory } = request.hostConfig;
      if (memory > 0 && !gate.host.limits.swap) {
        return -1;
      }
      return Math.min(memory > 0 && swap === 0 ? memory * 2 : swap, gate.budget.memoryBytes);
    },
  },
  MemorySwappiness: {
    verdict: 'constrain',
    reason: "within the job's own cgroup; cgroup v2 has no such knob",
    check: (swappiness, { gate }) => {
      if (swappiness === null) {
        return [];
      }
      if (swappiness < 0 || swappiness > 100) {
        return [bad(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)];
      }
      return unless(gate.host.cgroupVersion === '1', warn(NO_SWAPPINESS));
    },
    constrain: (swappiness, { gate }) => (gate.host.cgroupVersion === '1' ? swappiness : null),
  },
  OomKillDisable: {
    verdict: 'deny',
    reason: 'processes that cannot be killed for memory hold up the whole job, and then the machine',
    safer: 'set a memory limit that is large enough',
    opensWithSetting: true,
    check: (isDisabled, { gate }) => [
      ...unless(isDisabled !== true, deny('true')),
      ...unless(
        isDisabled !== true || gate.host.limits.oomKillDisable,
        warn('Your kernel does not support OomKillDisable. OomKillDisable discarded.'),
      ),
    ],
    constrain: (isDisabled, { gate }) => (gate.host.limits.oomKillDisable ? (isDisabled ?? false) : null),
  },
  OomScoreAdj: {
    verdict: 'deny',
    reason: "below 0 the machine's own processes would be killed first",
    safer: 'a value from 0 to 1000 is allowed',
    opensWithSetting: true,
    check: (score) => {
      if (score < -1000 || score > 1000) {
        return [bad(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`)];
      }
      return score < 0 ? [deny(String(score))] : [];
    },
  },
  KernelMemory: {
    verdict: 'warn',
    reason: 'kernels no longer have the limit',
    check: () => [warn('Kernel memory limits are not supported any more. Limitation discarded.')],
  },
  KernelMemoryTCP: {
    verdict: 'warn',
    reason: 'only cgroup v1 had the limit',
    check: () => [warn('Kernel TCP memory limits are not supported. Limitation discarded.')],
  },
  ShmSize: {
    verdict: 'constrain',
    reason: "no more than the job's memory; its pages count against the job's limit",
    check: (size, { gate }) => [
      ...unless(size >= 0, bad('SHM size can not be less than 0')),
      ...cut('ShmSize', size, gate),
    ],
    constrain: (size, { gate }) => Math.min(size, gate.budget.memoryBytes),
  },
};
