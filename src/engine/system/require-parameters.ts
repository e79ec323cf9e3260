import { admitParameters } from '../../policy/admit-parameters.ts';
import type { EndpointName } from '../../wire/endpoint-parameters.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';

/** Throws for a value in the query that the gate refuses; `valuesOf` gives all values of a parameter. */
export function requireParameters(
  job: Job,
  endpoint: EndpointName,
  valuesOf: (parameter: string) => readonly string[],
): void {
  admitParameters(endpoint, valuesOf, () => auditedGate(job, gateContextOf(job), { verb: endpoint }));
}
