import type { Any } from '../../containerd/types.ts';
import { buildExecProcess } from '../../oci/build-exec-process.ts';
import { decodeSpec, encodeSpec } from '../../oci/encode-spec.ts';
import type { OciUser } from '../../oci/spec-types.ts';
import { admitExec } from '../../policy/privileged-gate.ts';
import type { Container } from '../../state/container.ts';
import type { Exec } from '../../state/exec.ts';
import { findUser } from '../containers/container-spec.ts';
import { openContainerRoot } from '../containers/container-root.ts';
import { gateContextOf, privilegedImageOf } from '../gate-context.ts';
import type { Job } from '../job.ts';

/** containerd's name for the type of a process of the runtime spec in JSON. */
const PROCESS_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Process';

/** An exec that is about to start. */
export interface StartingExec {
  readonly exec: Exec;
  readonly container: Container;
  /** Size of the terminal, where the start names one. */
  readonly consoleSize: readonly [height: number, width: number] | undefined;
}

/** The exec's process: the gate is asked again, the user looked up in the container as it is now. */
export async function buildExecSpec(job: Job, { exec, container, consoleSize }: StartingExec): Promise<Any> {
  const request = { ...exec.request, consoleSize: consoleSize ?? exec.request.consoleSize };
  const { admitted } = admitExec(request, gateContextOf(job), privilegedImageOf(job, container.id));
  const spec = decodeSpec(container.storedSpec);
  const user = await findExecUser(job, container, request.user);
  const process = buildExecProcess(admitted, spec, user ?? spec.process.user);
  return { typeUrl: PROCESS_TYPE_URL, value: Buffer.from(encodeSpec(process)) };
}

/** Undefined: nobody in particular, so whoever the container runs as. */
async function findExecUser(job: Job, container: Container, user: string): Promise<OciUser | undefined> {
  if (user === '') return undefined;
  const { root } = await openContainerRoot(job, container, { path: '/', isRead: true });
  try {
    return await findUser(job, root, { user, groupAdd: container.record.hostConfig.GroupAdd ?? [] });
  } finally {
    await root.close();
  }
}
