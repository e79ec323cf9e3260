import { EngineError } from '../../errors.ts';
import type { Job } from '../job.ts';
import { updateRecord } from './update-record.ts';

/** `DELETE /containers/{name}/{alias}?link=1`: the link goes, both containers stay; what a running one has of it stays too. */
export async function removeLink(job: Job, linkRef: string): Promise<void> {
  const [containerRef = '', alias, ...rest] = linkRef.replace(/^\//, '').split('/');
  if (alias === undefined) {
    job.containers.resolve(containerRef);
    throw new EngineError('Conflict', 'Conflict, cannot remove the default link name of the container');
  }
  const missing = new EngineError('NotFound', `No such container: ${linkRef}`);
  const container = job.containers.list().find(({ record }) => record.name === containerRef);
  if (!container || rest.length > 0) throw missing;
  await job.containers.lock.run(container.id, async () => {
    const links = container.record.links.filter((link) => link.alias !== alias);
    if (links.length === container.record.links.length) throw missing;
    await updateRecord(job, container, { links });
  });
}
