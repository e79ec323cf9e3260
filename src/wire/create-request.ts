import type { ContainerConfig } from './container-config.ts';
import type { HostConfig } from './host-config.ts';
import type { NetworkingConfig } from './networking-config.ts';

/** The body of `POST /containers/create`, decoded, with dockerd's defaults filled in. */
export interface CreateRequest {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig;
}
