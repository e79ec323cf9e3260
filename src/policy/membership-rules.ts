import type { NetworkConnectRequest, NetworkDisconnectRequest } from '../wire/network.ts';
import { free, type RuleTable } from './rule.ts';

const OWN_CONTAINER = { verdict: 'bad', reason: "one of the job's own containers" } as const;

/** The gate's table for `POST /networks/{id}/connect`; the settings have a table of their own. */
export const CONNECT_RULES: RuleTable<NetworkConnectRequest, unknown> = {
  Container: OWN_CONTAINER,
  EndpointConfig: { verdict: 'bad', reason: 'goes through the table of EndpointsConfig of create' },
};

/** The gate's table for `POST /networks/{id}/disconnect`. */
export const DISCONNECT_RULES: RuleTable<NetworkDisconnectRequest, unknown> = {
  Container: OWN_CONTAINER,
  Force: free("the job's own container on the job's own network"),
};
