import { EngineError } from '../../errors.ts';
import type { Network } from '../../wire/network.ts';
import type { Job } from '../job.ts';
import { describeNetwork } from './describe-network.ts';
import { findNetwork } from './find-network.ts';

/** `GET /networks/{id}`: facts and the containers that run on it; `scope` other than `local` finds none. */
export function inspectNetwork(job: Job, networkRef: string, options: { readonly scope: string }): Network {
  const network = findNetwork(job, networkRef);
  if (options.scope !== '' && options.scope !== 'local')
    throw new EngineError('NotFound', `network ${networkRef} not found`);
  return describeNetwork(network, job.containers.list());
}
