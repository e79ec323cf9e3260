import { BERTH_VERSION } from '../version.ts';
import type { WorkerRecord } from './generated/control.ts';

/** What clients may rely on when they drive a build through the gateway. */
export const FRONTEND_CAPABILITIES = [
  'solve.base',
  'return',
  'returnmap',
  'proto.refarray',
  'gateway.evaluate',
];

const HOST_GATEWAY = 'org.mobyproject.buildkit.worker.moby.host-gateway-ip';

/** What clients are told that builds. */
export const BUILDKIT_VERSION = { package: 'berth', version: `v${BERTH_VERSION}`, revision: '' };

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The one worker of a job: this host. Clients take from it what `host-gateway` stands for. */
export function describeWorker(hostGateway: string | undefined): WorkerRecord {
  return {
    ID: 'berth',
    Labels: {
      'org.mobyproject.buildkit.worker.executor': 'containerd',
      ...(hostGateway === undefined ? {} : { [HOST_GATEWAY]: hostGateway }),
    },
    platforms: [{ Architecture: ARCHITECTURES[process.arch] ?? process.arch, OS: 'linux', Variant: '' }],
    BuildkitVersion: BUILDKIT_VERSION,
  };
}
