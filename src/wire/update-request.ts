import type { Resources, RestartPolicy } from './host-config.ts';

/** The body of `POST /containers/{id}/update`, decoded; members with Go's zero value ask for nothing. */
export interface UpdateRequest {
  readonly resources: Resources;
  /** An empty name leaves the policy as it is. */
  readonly restartPolicy: RestartPolicy;
}

/** The answer of `POST /containers/{id}/update`. */
export interface ContainerUpdated {
  readonly Warnings: readonly string[] | null;
}
