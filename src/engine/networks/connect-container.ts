import { EngineError } from '../../errors.ts';
import type { NetworkFacts, Sandbox } from '../../network/types.ts';
import { admitConnect } from '../../policy/admit-requests.ts';
import type { Container } from '../../state/container.ts';
import type { NetworkConnectRequest } from '../../wire/network.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import { endpointRequestOf } from '../containers/container-networks.ts';
import { writeNetworkFiles } from '../containers/join-network.ts';
import { updateRecord } from '../containers/update-record.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { emitNetworkEvent } from './emit-network-event.ts';
import { findNetwork } from './find-network.ts';

/** `POST /networks/{id}/connect`: at once where the container runs, else at its next start. */
export async function connectContainer(
  job: Job,
  networkRef: string,
  request: NetworkConnectRequest,
): Promise<void> {
  admitConnect(request, auditedGate(job, gateContextOf(job), { verb: 'network connect' }));
  const { Container: containerRef, EndpointConfig: settings } = request;
  const container = job.containers.resolve(containerRef);
  const network = findNetwork(job, networkRef);
  refuseMode(container, network);
  refuseAddress(network, settings);
  await job.containers.lock.run(container.id, async () => {
    const { record } = container;
    // One that does not run is only told what it will ask for at its next start.
    if (container.run && Object.hasOwn(record.networks, network.name))
      throw new EngineError(
        'PermissionDenied',
        `endpoint with name ${record.name} already exists in network ${network.name}`,
      );
    const networks = { ...record.networks, [network.name]: settings };
    if (!container.run) {
      await updateRecord(job, container, { networks });
      return;
    }
    const request = endpointRequestOf({ ...record, networks }, network.name);
    await applySandbox(job, container, {
      networks,
      sandbox: await job.network.connect(container.id, request),
    });
    emitNetworkEvent(job, network, { action: 'connect', containerId: container.id });
  });
}

/** Records what a running container is on now, and tells its files. */
export async function applySandbox(
  job: Job,
  container: Container,
  change: { readonly networks: Container['record']['networks']; readonly sandbox: Sandbox },
): Promise<void> {
  const { networks, sandbox } = change;
  await updateRecord(job, container, { networks, endpoints: sandbox.endpoints });
  await writeNetworkFiles(job, container, sandbox);
}

function refuseMode({ record }: Container, network: NetworkFacts): void {
  const { NetworkMode: mode } = record.hostConfig;
  if (mode.startsWith('container:'))
    throw new EngineError(
      'InvalidArgument',
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  if (mode === 'host' || network.driver === 'host')
    throw new EngineError(
      'InvalidArgument',
      'container cannot be disconnected from host network or connected to host network',
    );
  const isAlone = Object.hasOwn(record.networks, 'none');
  if (isAlone || (network.name === 'none' && Object.keys(record.networks).length > 0))
    throw new EngineError(
      'InvalidArgument',
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
}

function refuseAddress(
  network: NetworkFacts,
  { IPAMConfig: ipam, Aliases: aliases }: EndpointSettings,
): void {
  if (network.isPredefined && (aliases ?? []).length > 0)
    throw new EngineError(
      'InvalidArgument',
      'network-scoped alias is supported only for containers in user defined networks',
    );
  const { IPv4Address: four = '', IPv6Address: six = '' } = ipam ?? {};
  const mayChoose = (wish: string, hasChosenSubnet = false): boolean => wish === '' || hasChosenSubnet;
  if (mayChoose(four, network.hasChosenSubnet) && mayChoose(six, hasChosenSix(network))) return;
  throw new EngineError(
    'InvalidArgument',
    network.isPredefined
      ? 'user specified IP address is supported on user defined networks only'
      : 'user specified IP address is supported only when connecting to networks with user configured subnets',
  );
}

function hasChosenSix({ ipv6, idleIpv6 }: NetworkFacts): boolean {
  return ipv6?.hasChosenSubnet ?? Boolean(idleIpv6?.subnet);
}
