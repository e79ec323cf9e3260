import { isErrorKind } from '../errors.ts';
import { resolveAllowPrivileged } from '../policy/allow-privileged.ts';
import type { GateContext } from '../policy/gate-context.ts';
import { NO_IMAGE, type ImageFacts } from '../policy/image-pattern.ts';
import type { ContainerRecord } from '../state/container.ts';
import { imageFactsOf } from './images/image-facts.ts';
import type { Job } from './job.ts';

/** What the gate decides by, for this job. */
export function gateContextOf(job: Job): GateContext {
  return {
    allowPrivileged: resolveAllowPrivileged(job.settings),
    host: job.host,
    budget: job.budget,
    findOwnContainer: (containerRef) => {
      try {
        return job.containers.resolve(containerRef).id;
      } catch (error) {
        if (isErrorKind(error, 'NotFound') || isErrorKind(error, 'InvalidArgument')) return undefined;
        throw error;
      }
    },
    describeImage: (imageRef) => imageFactsOf(job, imageRef),
  };
}

/** The same, with its decisions written down: for a client's request, once. */
export function auditedGate(
  job: Job,
  gate: GateContext,
  request: { readonly verb: string; readonly image?: string },
): GateContext {
  return {
    ...gate,
    onDecision: (decision) => {
      job.audit.record({ ...request, ...decision });
    },
  };
}

/**
 * The same for a container that exists: its image is the one that it was made from, whatever its name has come to mean
 * since, and whether or not the job still has it.
 */
export function gateContextFor(job: Job, record: ContainerRecord): GateContext {
  return { ...gateContextOf(job), describeImage: () => imageFactsOfRecord(record) };
}

/** The image of a container that is privileged itself; a rule about any other one says nothing about its processes. */
export function privilegedImageOf(job: Job, containerId: string | undefined): ImageFacts {
  const record = containerId === undefined ? undefined : job.containers.get(containerId)?.record;
  return record?.hostConfig.Privileged === true ? imageFactsOfRecord(record) : NO_IMAGE;
}

/** What was known of a container's image when it was made. */
function imageFactsOfRecord({ imageFacts }: ContainerRecord): ImageFacts {
  return { ...NO_IMAGE, ...imageFacts };
}
