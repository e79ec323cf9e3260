import type { ContainerConfig } from '../wire/container-config.ts';
import type { LoginRequest } from '../wire/login-request.ts';
import type {
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkDisconnectRequest,
} from '../wire/network.ts';
import type { VolumeCreateRequest } from '../wire/volume.ts';
import { CONTAINER_CONFIG_RULES } from './container-config-rules.ts';
import { ENDPOINT_RULES } from './endpoint-rules.ts';
import type { GateContext } from './gate-context.ts';
import { judge, settle } from './judge.ts';
import { LOGIN_RULES } from './login-rules.ts';
import { CONNECT_RULES, DISCONNECT_RULES } from './membership-rules.ts';
import { NETWORK_CREATE_RULES } from './network-create-rules.ts';
import { VOLUME_RULES } from './volume-rules.ts';

// The gate of what makes no process. Each throws as its table says, and answers what the client must be told.

/** The gate of `POST /volumes/create`. */
export function admitVolume(request: VolumeCreateRequest, gate: GateContext): readonly string[] {
  return settle(judge(request, { rules: VOLUME_RULES, prefix: 'volume ' }, request), gate);
}

/** The gate of `POST /networks/create`. */
export function admitNetwork(request: NetworkCreateRequest, gate: GateContext): readonly string[] {
  return settle(judge(request, { rules: NETWORK_CREATE_RULES, prefix: 'network ' }, request), gate);
}

/** The gate of `POST /networks/{id}/connect`: settings that create would refuse are refused here too. */
export function admitConnect(request: NetworkConnectRequest, gate: GateContext): readonly string[] {
  const judgements = [
    ...judge(request, { rules: CONNECT_RULES, prefix: '' }, undefined),
    ...judge(request.EndpointConfig, { rules: ENDPOINT_RULES, prefix: 'EndpointConfig.' }, undefined),
  ];
  return settle(judgements, gate);
}

/** The gate of `POST /networks/{id}/disconnect`. */
export function admitDisconnect(request: NetworkDisconnectRequest, gate: GateContext): readonly string[] {
  return settle(judge(request, { rules: DISCONNECT_RULES, prefix: '' }, undefined), gate);
}

/** The gate of the configuration in the body of `POST /commit`. */
export function admitCommit(config: ContainerConfig, gate: GateContext): readonly string[] {
  return settle(judge(config, { rules: CONTAINER_CONFIG_RULES, prefix: 'Config.' }, {}), gate);
}

/** The gate of `POST /auth`. */
export function admitLogin(request: LoginRequest, gate: GateContext): readonly string[] {
  return settle(judge(request, { rules: LOGIN_RULES, prefix: '' }, {}), gate);
}
