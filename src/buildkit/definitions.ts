import { fromJSON } from '@grpc/proto-loader';
import type { AuthMethods } from './generated/auth.ts';
import type { ControlMethods } from './generated/control.ts';
import type { FileSendMethods } from './generated/filesend.ts';
import type { FileSyncMethods } from './generated/filesync.ts';
import type { LLBBridgeMethods } from './generated/gateway.ts';
import type { SecretsMethods } from './generated/secrets.ts';
import type { SSHMethods } from './generated/ssh.ts';
import type { UploadMethods } from './generated/upload.ts';

/** BuildKit's services that are served or called, with the typed methods of each. */
export interface BuildkitMethods {
  readonly auth: AuthMethods;
  readonly control: ControlMethods;
  readonly filesend: FileSendMethods;
  readonly filesync: FileSyncMethods;
  readonly gateway: LLBBridgeMethods;
  readonly secrets: SecretsMethods;
  readonly ssh: SSHMethods;
  readonly upload: UploadMethods;
}

const descriptors: Readonly<Record<keyof BuildkitMethods, () => Promise<{ readonly default: object }>>> = {
  auth: () => import('./generated/auth.json', { with: { type: 'json' } }),
  control: () => import('./generated/control.json', { with: { type: 'json' } }),
  filesend: () => import('./generated/filesend.json', { with: { type: 'json' } }),
  filesync: () => import('./generated/filesync.json', { with: { type: 'json' } }),
  gateway: () => import('./generated/gateway.json', { with: { type: 'json' } }),
  secrets: () => import('./generated/secrets.json', { with: { type: 'json' } }),
  ssh: () => import('./generated/ssh.json', { with: { type: 'json' } }),
  upload: () => import('./generated/upload.json', { with: { type: 'json' } }),
};

/** Builds the methods of one service. */
export async function loadMethods<N extends keyof BuildkitMethods>(name: N): Promise<BuildkitMethods[N]> {
  const { default: descriptor } = await descriptors[name]();
  const definitions = fromJSON(descriptor, { longs: Number, enums: String, defaults: true });
  const service = Object.values(definitions).find((definition) => !('format' in definition));
  if (!service) throw new Error(`no service in the descriptor of ${name}`);
  return service as unknown as BuildkitMethods[N];
}
