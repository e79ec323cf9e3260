import { EngineError } from '../../errors.ts';
import type { Ipv6Request, NetworkFacts } from '../../network/types.ts';
import type { NetworkCreateRequest } from '../../wire/network.ts';
import type { Job } from '../job.ts';
import { emitNetworkEvent } from './emit-network-event.ts';

const NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9_. -]{0,126}[a-zA-Z0-9_.-])?$/;
const RESERVED = ['bridge', 'host', 'none', 'default', 'container', 'private'];
const MAX_LABEL_BYTES = 64 * 1024;

/** `POST /networks/create`: a bridge of the job's own, refused in dockerd's words where it would be. */
export async function createNetwork(
  job: Job,
  request: NetworkCreateRequest,
): Promise<{ readonly Id: string; readonly Warning: string }> {
  checkName(request.Name);
  checkDriver(request.Driver);
  checkKind(request);
  const { four, six } = ipamOf(request);
  const network = await job.network.createNetwork({
    name: request.Name,
    ...toPool(four),
    ...(six ? { ipv6: toPool(six) } : {}),
    isInternal: request.Internal,
    isAttachable: request.Attachable,
    options: request.Options ?? {},
    labels: request.Labels ?? {},
  });
  emitNetworkEvent(job, network, { action: 'create' });
  return { Id: network.id, Warning: warningFor(request, network) };
}

function checkName(name: string): void {
  if (name.trim() === '') throw new EngineError('InvalidArgument', 'invalid network name: name is empty');
  if (RESERVED.includes(name))
    throw new EngineError('PermissionDenied', `operation is not permitted on predefined ${name} network`);
  if (!NAME.test(name))
    throw new EngineError(
      'InvalidArgument',
      `invalid network name: ${JSON.stringify(name.slice(0, 200))}: only [a-zA-Z0-9][a-zA-Z0-9_.-] and blanks between them are allowed, 128 at most`,
    );
}

function checkDriver(driver: string): void {
  if (driver === '' || driver === 'default' || driver === 'bridge') return;
  if (driver === 'host' || driver === 'null')
    throw new EngineError('PermissionDenied', `only one instance of "${driver}" network is allowed`);
  if (driver === 'overlay')
    throw new EngineError(
      'PermissionDenied',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    );
  throw new EngineError('NotFound', `plugin ${JSON.stringify(driver.slice(0, 200))} not found`);
}

function checkKind(request: NetworkCreateRequest): void {
  const refuse = (what: string): EngineError =>
    new EngineError('NotImplemented', `network ${request.Name}: ${what} is not supported`);
  if (request.Ingress)
    throw new EngineError('PermissionDenied', 'Ingress network can only be global scope network');
  if (request.Scope === 'swarm')
    throw new EngineError(
      'PermissionDenied',
      'cannot create a swarm scoped network when swarm is not active',
    );
  if (request.Scope !== '' && request.Scope !== 'local') throw refuse(`scope ${request.Scope.slice(0, 200)}`);
  if (request.ConfigOnly) throw refuse('ConfigOnly');
  if (request.ConfigFrom.Network !== '') throw refuse('ConfigFrom');
  if (request.EnableIPv4 === false) throw refuse('EnableIPv4=false');
  const labels = JSON.stringify([request.Labels, request.Options]);
  if (labels.length > MAX_LABEL_BYTES)
    throw new EngineError('InvalidArgument', `labels and options are more than ${MAX_LABEL_BYTES} bytes`);
}

type Pool = NonNullable<NetworkCreateRequest['IPAM']['Config']>[number];

function ipamOf({ IPAM: ipam, EnableIPv6: isSix }: NetworkCreateRequest): {
  readonly four: Pool;
  readonly six?: Pool;
} {
  if (ipam.Driver !== '' && ipam.Driver !== 'default')
    throw new EngineError('NotFound', `plugin ${JSON.stringify(ipam.Driver.slice(0, 200))} not found`);
  if (Object.keys(ipam.Options ?? {}).length > 0)
    throw new EngineError('InvalidArgument', 'options of the default IPAM driver are not known');
  const pools = ipam.Config ?? [];
  const [four = {}, ...moreFour] = pools.filter((pool) => !isSixPool(pool));
  const [six = {}, ...moreSix] = pools.filter(isSixPool);
  if (moreFour.length > 0 || moreSix.length > 0)
    throw new EngineError('PermissionDenied', "bridge driver doesn't support multiple subnets");
  return isSix === true ? { four, six } : { four };
}

function isSixPool(pool: Pool): boolean {
  return [pool.Subnet, pool.Gateway, pool.IPRange].some((text) => text?.includes(':') === true);
}

function toPool({ Subnet = '', Gateway = '', IPRange = '', AuxiliaryAddresses = {} }: Pool): Ipv6Request {
  return { subnet: Subnet, gateway: Gateway, ipRange: IPRange, auxAddresses: AuxiliaryAddresses };
}

function warningFor(request: NetworkCreateRequest, { ipv6 }: NetworkFacts): string {
  const isNamed = 'com.docker.network.bridge.name' in (request.Options ?? {});
  const isShut = ipv6?.leadsOut === false && !request.Internal;
  const isUnused = request.EnableIPv6 !== true && (request.IPAM.Config ?? []).some(isSixPool);
  return [
    ...(isNamed ? ["the bridge's name is the daemon's choice"] : []),
    ...(isShut ? ['the host has no IPv6: that of the network does not leave the job'] : []),
    ...(isUnused ? ['the IPv6 subnet is not used, since IPv6 is not enabled'] : []),
  ].join('; ');
}
