import { EngineError } from '../../errors.ts';
import { admitDisconnect } from '../../policy/admit-requests.ts';
import type { NetworkDisconnectRequest } from '../../wire/network.ts';
import { updateRecord } from '../containers/update-record.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { applySandbox } from './connect-container.ts';
import { emitNetworkEvent } from './emit-network-event.ts';
import { findNetwork } from './find-network.ts';

/** `POST /networks/{id}/disconnect`: at once where the container runs, and for its next start. */
export async function disconnectContainer(
  job: Job,
  networkRef: string,
  request: NetworkDisconnectRequest,
): Promise<void> {
  admitDisconnect(request, auditedGate(job, gateContextOf(job), { verb: 'network disconnect' }));
  const network = findNetwork(job, networkRef);
  const container = job.containers.resolve(request.Container);
  if (network.driver === 'host')
    throw new EngineError(
      'InvalidArgument',
      'container cannot be disconnected from host network or connected to host network',
    );
  await job.containers.lock.run(container.id, async () => {
    const { record } = container;
    if (!Object.hasOwn(record.networks, network.name))
      throw new EngineError(
        'Conflict',
        `container ${container.id} is not connected to network ${network.name}`,
      );
    const networks = Object.fromEntries(
      Object.entries(record.networks).filter(([name]) => name !== network.name),
    );
    if (!container.run || network.driver !== 'bridge') {
      await updateRecord(job, container, { networks });
      return;
    }
    const sandbox = await job.network.disconnect(container.id, network.id);
    await applySandbox(job, container, { networks, sandbox });
  });
  emitNetworkEvent(job, network, { action: 'disconnect', containerId: container.id });
}
