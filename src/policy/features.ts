/** A part of Docker's API that a create request may ask for. */
export type Feature =
  | 'anonymousVolumes'
  | 'bindMounts'
  | 'namedVolumes'
  | 'imageMounts'
  | 'tmpfsMounts'
  | 'publishedPorts'
  | 'userNetworks'
  | 'containerNetwork'
  | 'containerPid'
  | 'containerIpc'
  | 'devices'
  | 'deviceRequests'
  | 'deviceLimits'
  | 'healthchecks'
  | 'staticAddresses';

/** Whether the engine carries a part out: what it does not is refused by name, never left out in silence. */
export const FEATURES: Readonly<Record<Feature, boolean>> = {
  anonymousVolumes: true,
  bindMounts: true,
  namedVolumes: true,
  imageMounts: true,
  tmpfsMounts: true,
  publishedPorts: true,
  userNetworks: true,
  containerNetwork: true,
  containerPid: true,
  containerIpc: true,
  devices: true,
  deviceRequests: false,
  deviceLimits: false,
  healthchecks: true,
  staticAddresses: true,
};
