import { EngineError } from '../../errors.ts';
import { encodeSpec } from '../../oci/encode-spec.ts';
import { buildResources } from '../../oci/resources.ts';
import { admitUpdate } from '../../policy/privileged-gate.ts';
import { changesOf } from '../../policy/update-fields.ts';
import type { Container } from '../../state/container.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import type { ContainerUpdated, UpdateRequest } from '../../wire/update-request.ts';
import { auditedGate, gateContextFor } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { updateRecord } from './update-record.ts';

/** containerd's name for the type of a cgroup's limits of the runtime spec in JSON. */
const RESOURCES_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';
const UNLIMITED_PIDS = -1;

/** `docker update`: the gate first, then the limits of what runs, then the record that later starts go by. */
export async function updateContainer(
  job: Job,
  containerRef: string,
  request: UpdateRequest,
): Promise<ContainerUpdated> {
  const container = job.containers.resolve(containerRef);
  const warnings = await job.containers.lock.run(container.id, async () => {
    const { record } = container;
    const image = record.config.Image;
    const gate = auditedGate(job, gateContextFor(job, record), { verb: 'update', image });
    refuseConflicts(container, changesOf(request));
    const admission = admitUpdate(record, request, gate);
    const { hostConfig } = admission.admitted;
    if (container.run) await applyLimits(job, container, hostConfig);
    await updateRecord(job, container, { hostConfig });
    return admission.warnings;
  });
  emitContainerEvent(job, container, { action: 'update' });
  return { Warnings: warnings.length === 0 ? null : warnings };
}

function refuseConflicts(container: Container, changes: Partial<HostConfig>): void {
  const { record, isRemoving, id } = container;
  const { hostConfig: now } = record;
  const why = isRemoving
    ? 'Container is marked for removal and cannot be "update".'
    : conflictOf(now, changes);
  if (why !== undefined) throw new EngineError('Conflict', `Cannot update container ${id}: ${why}`);
}

/** What contradicts the values that the container has already, in dockerd's words. */
function conflictOf(now: HostConfig, changes: Partial<HostConfig>): string | undefined {
  const { Memory = 0, MemorySwap = 0, RestartPolicy } = changes;
  if (Memory > now.MemorySwap && now.MemorySwap > 0 && MemorySwap === 0)
    return 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time';
  if (now.AutoRemove && RestartPolicy !== undefined && RestartPolicy.Name !== 'no')
    return 'Restart policy cannot be updated because AutoRemove is enabled for the container';
  return cpuConflictOf(now, changes);
}

type CpuMember = 'NanoCpus' | 'CpuPeriod' | 'CpuQuota';

/** `--cpus` and period or quota are two ways to say the same. */
function cpuConflictOf(now: HostConfig, changes: Partial<HostConfig>): string | undefined {
  const pairs: readonly (readonly [asked: CpuMember, present: CpuMember, words: string])[] = [
    ['NanoCpus', 'CpuPeriod', 'Nano CPUs cannot be updated as CPU Period has already been set'],
    ['NanoCpus', 'CpuQuota', 'Nano CPUs cannot be updated as CPU Quota has already been set'],
    ['CpuPeriod', 'NanoCpus', 'CPU Period cannot be updated as NanoCPUs has already been set'],
    ['CpuQuota', 'NanoCpus', 'CPU Quota cannot be updated as NanoCPUs has already been set'],
  ];
  const found = pairs.find(([asked, present]) => (changes[asked] ?? 0) > 0 && now[present] > 0);
  return found && `Conflicting options: ${found[2]}`;
}

async function applyLimits(job: Job, container: Container, hostConfig: HostConfig): Promise<void> {
  const { pids, ...resources } = buildResources(hostConfig, hostConfig.Privileged);
  const limits = { ...resources, pids: pids ?? { limit: UNLIMITED_PIDS } };
  await job.containerd.tasks.update({
    containerId: container.id,
    resources: { typeUrl: RESOURCES_TYPE_URL, value: Buffer.from(encodeSpec(limits)) },
  });
}
