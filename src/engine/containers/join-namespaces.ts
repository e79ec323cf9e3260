import type { JoinedKind } from '../../host/namespace-pins.ts';
import { EngineError } from '../../errors.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import { hasSharedMemory } from '../../oci/mounts.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';

const SHARED = 'container:';
const SHM = '/dev/shm';

/** A namespace that a container is to have of another one's. */
interface Joining {
  readonly kind: JoinedKind;
  readonly targetId: string;
}

/**
 * Mounts what the container has for its /dev/shm with others; until its run is released. Conflict where another one's is
 * meant that does not run, InvalidArgument where that has none to share.
 */
export async function openSharedMemory(job: Job, container: Container, undo: CleanupStack): Promise<void> {
  const { id, record } = container;
  const { IpcMode: mode, ShmSize: sizeBytes, Tmpfs: tmpfs } = record.hostConfig;
  if (!hasSharedMemory(mode)) return;
  undo.defer('shared memory', () => job.sharedMemory.remove(id));
  if (mode.startsWith(SHARED)) {
    const { id: targetId } = requireTarget(job, { kind: 'ipc', targetId: mode.slice(SHARED.length) });
    if (!(await job.sharedMemory.share(id, targetId)))
      throw new EngineError(
        'InvalidArgument',
        `${wordsOf('ipc')}: container ${targetId}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    return;
  }
  // As dockerd: one that has something of its own there has nothing to share.
  const hasOwn = record.mounts.some(({ destination }) => destination === SHM) || SHM in (tmpfs ?? {});
  if (!hasOwn) await job.sharedMemory.make(id, sizeBytes);
}

/** Gives back what `openSharedMemory` took; who else has it keeps it. May be repeated. */
export async function closeSharedMemory(job: Job, { id, record }: Container): Promise<void> {
  if (hasSharedMemory(record.hostConfig.IpcMode)) await job.sharedMemory.remove(id);
}

/**
 * Has the namespaces of other containers, which the spec names, at their places while the runtime enters them. Conflict
 * where one of these does not run, or ends meanwhile; PermissionDenied where it has the machine's own.
 */
export async function withJoinedNamespaces(
  job: Job,
  container: Container,
  enter: () => Promise<void>,
): Promise<void> {
  const joinings = joiningsOf(container);
  const undo = createCleanupStack((step, error) => {
    job.log.error({ err: error, containerId: container.id, step }, 'a namespace was not let go');
  });
  try {
    for (const joining of joinings) await pin(job, container, { joining, undo });
    await enter();
  } catch (error) {
    for (const joining of joinings) requireTarget(job, joining);
    throw error;
  } finally {
    await undo.dispose();
  }
}

function joiningsOf({ record }: Container): readonly Joining[] {
  const { PidMode: pid, IpcMode: ipc } = record.hostConfig;
  const modes: readonly (readonly [JoinedKind, string])[] = [
    ['pid', pid],
    ['ipc', ipc],
  ];
  return modes.flatMap(([kind, mode]) =>
    mode.startsWith(SHARED) ? [{ kind, targetId: mode.slice(SHARED.length) }] : [],
  );
}

async function pin(
  job: Job,
  { id: ownerId }: Container,
  { joining, undo }: { readonly joining: Joining; readonly undo: CleanupStack },
): Promise<void> {
  const { kind } = joining;
  const { id: cgroupName, pid } = requireTarget(job, joining);
  undo.defer('namespace', () => job.namespacePins.unpin({ ownerId, kind }));
  const outcome = await job.namespacePins.pin({ ownerId, kind }, { pid, cgroupName });
  if (outcome === 'ended') throw notRunning(joining);
  if (outcome === 'machine')
    throw new EngineError(
      'PermissionDenied',
      `${wordsOf(kind)}: container ${joining.targetId} has the machine's own, which are not given on. Safer: ask for ` +
        `${kind === 'pid' ? '--pid' : '--ipc'} host itself, where the host's configuration allows it`,
    );
}

function requireTarget(job: Job, joining: Joining): { readonly id: string; readonly pid: number } {
  const { kind, targetId } = joining;
  const target = job.containers.get(targetId);
  if (!target) throw new EngineError('InvalidArgument', `${wordsOf(kind)}: No such container: ${targetId}`);
  const { state } = target.record;
  if (state.status === 'restarting')
    throw new EngineError(
      'Conflict',
      `${wordsOf(kind)}: Container ${targetId} is restarting, wait until the container is running`,
    );
  if (state.status !== 'running') throw notRunning(joining);
  return { id: targetId, pid: state.pid };
}

function notRunning({ kind, targetId }: Joining): EngineError {
  return new EngineError('Conflict', `${wordsOf(kind)}: container ${targetId} is not running`);
}

function wordsOf(kind: JoinedKind): string {
  return `failed to join ${kind.toUpperCase()} namespace`;
}
