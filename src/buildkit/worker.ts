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

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** The one worker of a job: this host. */
export function describeWorker(): WorkerRecord {
  return {
    ID: 'berth',
    Labels: { 'org.mobyproject.buildkit.worker.executor': 'containerd' },
    platforms: [{ Architecture: ARCHITECTURES[process.arch] ?? process.arch, OS: 'linux', Variant: '' }],
    BuildkitVersion: { package: 'berth', version: `v${BERTH_VERSION}`, revision: '' },
  };
}
