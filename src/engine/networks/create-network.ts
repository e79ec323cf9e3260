import { EngineError } from '../../errors.ts';
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
  const {
    Subnet: subnet = '',
    Gateway: gateway = '',
    IPRange: ipRange = '',
    AuxiliaryAddresses: aux = {},
  } = ipamOf(request);
  const options = request.Options ?? {};
  const network = await job.network.createNetwork({
    name: request.Name,
    subnet,
    gateway,
    ipRange,
    auxAddresses: aux,
    isInternal: request.Internal,
    isAttachable: request.Attachable,
    options,
    labels: request.Labels ?? {},
  });
  emitNetworkEvent(job, network, { action: 'create' });
  const isNamed = 'com.docker.network.bridge.name' in options;
  return { Id: network.id, Warning: isNamed ? "the bridge's name is the daemon's choice" : '' };
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
  if (request.EnableIPv6 === true) throw refuse('EnableIPv6');
  if (request.EnableIPv4 === false) throw refuse('EnableIPv4=false');
  const labels = JSON.stringify([request.Labels, request.Options]);
  if (labels.length > MAX_LABEL_BYTES)
    throw new EngineError('InvalidArgument', `labels and options are more than ${MAX_LABEL_BYTES} bytes`);
}

function ipamOf({
  IPAM: ipam,
}: NetworkCreateRequest): NonNullable<NetworkCreateRequest['IPAM']['Config']>[number] {
  if (ipam.Driver !== '' && ipam.Driver !== 'default')
    throw new EngineError('NotFound', `plugin ${JSON.stringify(ipam.Driver.slice(0, 200))} not found`);
  if (Object.keys(ipam.Options ?? {}).length > 0)
    throw new EngineError('InvalidArgument', 'options of the default IPAM driver are not known');
  const [pool = {}, ...others] = ipam.Config ?? [];
  if (others.length > 0)
    throw new EngineError('InvalidArgument', 'bridge driver supports only one IPv4 subnet');
  if ([pool.Subnet, pool.Gateway, pool.IPRange].some((text) => text?.includes(':') === true))
    throw new EngineError('NotImplemented', 'IPv6 subnets are not supported');
  return pool;
}
