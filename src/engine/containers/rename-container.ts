import { EngineError, messageOf, ShapeError } from '../../errors.ts';
import type { ContainerRecord } from '../../state/container.ts';
import type { Job } from '../job.ts';
import { checkContainerName } from './container-name.ts';
import { dnsNamesOf } from './container-networks.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { updateRecord } from './update-record.ts';

/** `POST /containers/{id}/rename`: the name changes for all at once, or stays where the record cannot be written. */
export async function renameContainer(job: Job, containerRef: string, newName: string): Promise<void> {
  requireNewName(newName);
  const container = job.containers.resolve(containerRef);
  const name = newName.startsWith('/') ? newName.slice(1) : newName;
  await job.containers.lock.run(container.id, async () => {
    const oldName = container.record.name;
    if (name === oldName)
      throw new EngineError('InvalidArgument', 'Renaming a container with the same name as its current name');
    if (container.isRemoving)
      throw new EngineError(
        'Conflict',
        `container ${container.id} is marked for removal and cannot be renamed`,
      );
    checkNewName(newName);
    reserve(job, name, container.id);
    try {
      await updateRecord(job, container, renamed(container.record, name));
      job.network.rename(container.id, {
        containerName: name,
        dnsNames: dnsNamesOf(container.record),
      });
    } catch (error) {
      container.record = { ...container.record, name: oldName };
      job.containers.releaseName(name);
      throw error;
    }
    job.containers.releaseName(oldName);
    emitContainerEvent(job, container, { action: 'rename', attributes: { oldName: `/${oldName}` } });
  });
}

function renamed(record: ContainerRecord, name: string): Pick<ContainerRecord, 'name' | 'endpoints'> {
  const names = new Map(Object.entries(dnsNamesOf({ ...record, name })));
  const endpoints = Object.entries(record.endpoints).map(([network, endpoint]) => [
    network,
    { ...endpoint, dnsNames: endpoint.dnsNames.length === 0 ? [] : (names.get(network) ?? []) },
  ]);
  return { name, endpoints: Object.fromEntries(endpoints) as ContainerRecord['endpoints'] };
}

/** InvalidArgument, in dockerd's words, for a name that a rename cannot give. */
export function checkNewName(newName: string): void {
  requireNewName(newName);
  const name = newName.startsWith('/') ? newName.slice(1) : newName;
  try {
    checkContainerName(`/${name}`);
  } catch (cause) {
    throw new ShapeError(`Error when allocating new name: ${messageOf(cause)}`, { cause });
  }
}

function requireNewName(newName: string): void {
  if (newName === '') throw new ShapeError('Neither old nor new names may be empty');
}

function reserve(job: Job, name: string, id: string): void {
  try {
    job.containers.reserveName(name, id);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    throw new EngineError(cause.kind, `Error when allocating new name: ${cause.message}`, { cause });
  }
}
