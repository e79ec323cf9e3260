import type { NetworkFacts, NetworkRequest, PoolRequest } from '../../network/types.ts';
import { admitNetwork } from '../../policy/admit-requests.ts';
import { isIpv6Pool } from '../../policy/network-create-rules.ts';
import type { IpamPool, NetworkCreateRequest } from '../../wire/network.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { emitNetworkEvent } from './emit-network-event.ts';

const BRIDGE_NAME = 'com.docker.network.bridge.name';

/**
 * `POST /networks/create`: a bridge of the job's own, refused in dockerd's words where it would be. A subnet with bits
 * below its prefix is, unless `mayHaveHostBits`.
 */
export async function createNetwork(
  job: Job,
  request: NetworkCreateRequest,
  { mayHaveHostBits }: { readonly mayHaveHostBits: boolean } = { mayHaveHostBits: false },
): Promise<{ readonly Id: string; readonly Warning: string }> {
  const warnings = admitNetwork(request, auditedGate(job, gateContextOf(job), { verb: 'network create' }));
  const network = await job.network.createNetwork(networkRequestOf(request, { mayHaveHostBits }));
  emitNetworkEvent(job, network, { action: 'create' });
  return { Id: network.id, Warning: [...warnings, ...unmet(request, network)].join('; ') };
}

/** What an admitted request asks of the network adapter. */
export function networkRequestOf(
  request: NetworkCreateRequest,
  { mayHaveHostBits }: { readonly mayHaveHostBits: boolean },
): NetworkRequest {
  const { four, six, idleSix } = ipamOf(request);
  return {
    name: request.Name,
    isConfigOnly: request.ConfigOnly,
    configFrom: request.ConfigFrom.Network,
    ...toPool(four),
    ...(six ? { ipv6: toPool(six) } : {}),
    ...(idleSix ? { idleIpv6: toPool(idleSix) } : {}),
    mayHaveHostBits,
    isInternal: request.Internal,
    isAttachable: request.Attachable,
    options: request.Options ?? {},
    labels: request.Labels ?? {},
  };
}

/** The subnets that are asked for, one of each kind at most. */
function ipamOf({ IPAM: ipam, EnableIPv6: isSix }: NetworkCreateRequest): {
  readonly four: IpamPool;
  readonly six?: IpamPool;
  /** Not to be used, for IPv6 is not asked for. */
  readonly idleSix?: IpamPool;
} {
  const pools = ipam.Config ?? [];
  const four = pools.find((pool) => !isIpv6Pool(pool)) ?? {};
  const six = pools.find(isIpv6Pool);
  if (isSix === true) return { four, six: six ?? {} };
  return six ? { four, idleSix: six } : { four };
}

function toPool({ Subnet = '', Gateway = '', IPRange = '', AuxiliaryAddresses = {} }: IpamPool): PoolRequest {
  return { subnet: Subnet, gateway: Gateway, ipRange: IPRange, auxAddresses: AuxiliaryAddresses };
}

/** What the machine could not give of what the gate has let through. */
function unmet(
  { Internal: isInternal }: NetworkCreateRequest,
  { ipv6, options, bridgeName, configuration }: NetworkFacts,
): readonly string[] {
  const named = options[BRIDGE_NAME] ?? '';
  return [
    ...(ipv6?.leadsOut === false && !isInternal
      ? ['the host has no IPv6: that of the network does not leave the job']
      : []),
    ...(named !== '' && named !== bridgeName && !configuration
      ? [`network option "${BRIDGE_NAME}" has no effect: the job shares its network namespace with others`]
      : []),
  ];
}
