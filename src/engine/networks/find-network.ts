import { EngineError } from '../../errors.ts';
import type { NetworkFacts } from '../../network/types.ts';
import type { Job } from '../job.ts';

/** The network of this name, id or unambiguous id prefix; NotFound `network x not found` in dockerd's words. */
export function findNetwork(job: Job, networkRef: string): NetworkFacts {
  const { networks } = job.network;
  const exact =
    networks.find((network) => network.id === networkRef) ??
    networks.find((network) => network.name === networkRef);
  if (exact) return exact;
  const matches = networkRef === '' ? [] : networks.filter((network) => network.id.startsWith(networkRef));
  if (matches.length > 1)
    throw new EngineError(
      'InvalidArgument',
      `network ${networkRef} is ambiguous (${matches.length} matches found based on ID prefix)`,
    );
  const [match] = matches;
  if (!match) throw new EngineError('NotFound', `network ${networkRef} not found`);
  return match;
}
