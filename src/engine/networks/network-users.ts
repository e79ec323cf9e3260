import type { NetworkFacts } from '../../network/types.ts';
import type { Container } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** The containers that run on a network; as in dockerd, one that is only to start on it does not keep it. */
export function networkUsers(job: Job, { id }: NetworkFacts): readonly Container[] {
  const isOn = ({ record }: Container): boolean =>
    record.state.status === 'running' &&
    Object.values(record.endpoints).some(({ networkId }) => networkId === id);
  return job.containers.all().filter(isOn);
}
