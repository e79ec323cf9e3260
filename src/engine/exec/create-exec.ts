import { EngineError, limitReached } from '../../errors.ts';
import { createDeferred } from '../../lib/deferred.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { admitExec } from '../../policy/privileged-gate.ts';
import type { ExecRequest } from '../../wire/exec-request.ts';
import { emitContainerEvent } from '../containers/emit-container-event.ts';
import { parseDetachKeys } from '../containers/parse-detach-keys.ts';
import { isPaused, requireRunning } from '../containers/require-running.ts';
import { auditedGate, gateContextOf, privilegedImageOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { execAction } from './exec-action.ts';

/** Most exec instances one container remembers: ended ones are forgotten, oldest first, beyond that. */
const MAX_EXECS = 1024;

/** `POST /containers/{id}/exec`: the gate first, then Conflict unless the container runs. */
export function createExec(job: Job, containerRef: string, request: ExecRequest): { readonly id: string } {
  const gate = auditedGate(job, gateContextOf(job), { verb: 'exec' });
  const { admitted } = admitExec(request, gate, privilegedImageOf(job, gate.findOwnContainer(containerRef)));
  const container = job.containers.resolve(containerRef);
  parseDetachKeys(admitted.detachKeys, 'escape');
  requireRunning(container);
  if (isPaused(container))
    throw new EngineError(
      'Conflict',
      `Container ${containerRef} is paused, unpause the container before exec`,
    );
  forgetEndedExecs(job, container.execIds);
  requireRoom(job);
  const id = createRandomId();
  job.execs.set(id, {
    id,
    containerId: container.id,
    request: admitted,
    state: { status: 'created' },
    begun: createDeferred(),
    exited: createDeferred(),
  });
  container.execIds.add(id);
  emitContainerEvent(job, container, {
    action: execAction('exec_create', request),
    attributes: { execID: id },
  });
  return { id };
}

function requireRoom(job: Job): void {
  const { execs: most } = job.settings.limits;
  if (job.execs.size < most) return;
  const live = [...job.execs.values()].filter(({ state }) => state.status !== 'exited');
  if (live.length >= most) throw limitReached('execs', most);
}

function forgetEndedExecs(job: Job, execIds: Set<string>): void {
  for (const id of execIds) {
    if (execIds.size < MAX_EXECS) return;
    if (job.execs.get(id)?.state.status !== 'exited') continue;
    execIds.delete(id);
    job.execs.delete(id);
  }
  if (execIds.size >= MAX_EXECS)
    throw new EngineError(
      'Conflict',
      `container has ${String(execIds.size)} exec instances, the most there can be`,
    );
}
