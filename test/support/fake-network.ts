import type { Endpoint, JobNetwork, Sandbox, SandboxRequest } from '../../src/network/types.ts';
import { makeEndpoint, NETWORKS, partOf } from './records.ts';

/** A network that hands out addresses and touches nothing. */
export interface FakeNetwork {
  readonly network: JobNetwork;
  /** Containers whose sandbox is open. */
  readonly open: ReadonlySet<string>;
  /** Calls that make or change something. */
  calls(): number;
}

/** Makes a network with the three predefined ones. */
export function createFakeNetwork(): FakeNetwork {
  const open = new Set<string>();
  let calls = 0;
  const sandboxPath = ({ containerId }: SandboxRequest): string => `/fake/netns/${containerId}`;
  const network = partOf<JobNetwork>({
    netnsPath: '/fake/netns/job',
    networks: NETWORKS,
    sandboxPath,
    rename: () => undefined,
    sandboxOf: () => undefined,
    openUrl: (url) => Promise.reject(new Error(`nothing is fetched here: ${url}`)),
    async openSandbox(request) {
      calls += 1;
      open.add(request.containerId);
      return sandboxOf(request, sandboxPath(request));
    },
    containerFiles: (_sandbox, { hostname }) => ({
      hosts: `127.0.0.1 localhost\n172.17.0.2 ${hostname}\n`,
      hostname: `${hostname}\n`,
      resolvConf: 'nameserver 10.0.0.1\n',
    }),
    async closeSandbox(containerId) {
      calls += 1;
      open.delete(containerId);
    },
  });
  return { network, open, calls: () => calls };
}

function sandboxOf({ mode }: SandboxRequest, netnsPath: string): Sandbox {
  const endpoints: Readonly<Record<string, Endpoint>> =
    mode.kind === 'networks' ? { bridge: makeEndpoint() } : {};
  return { netnsPath, endpoints, nameServers: ['10.0.0.1'], hasResolver: false, ports: [] };
}
