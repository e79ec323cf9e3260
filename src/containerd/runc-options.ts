import { loadMessage } from './definitions.ts';
import type { Options, OptionsInput } from './generated/runc-options.ts';
import type { Any } from './types-core.ts';

/** The options of containerd's runc shim that berth sets; absent ones keep the shim's defaults. */
export interface RuncOptions {
  /** Path or name of the runtime binary. */
  readonly binaryName?: string;
  /** Directory for the runtime's own state. */
  readonly root?: string;
  /** True where the cgroup path is a systemd slice. */
  readonly systemdCgroup?: boolean;
  /** Cgroup that the shim itself is put in. */
  readonly shimCgroup?: string;
  /** Owner of the pipes that the shim makes for stdio. */
  readonly ioUid?: number;
  /** Group of the pipes that the shim makes for stdio. */
  readonly ioGid?: number;
}

/** Encodes the options for `tasks.create` or a container's `runtime.options`. */
export async function encodeRuncOptions(options: RuncOptions): Promise<Any> {
  const name = 'containerd.runc.v1.Options';
  const message = await loadMessage<OptionsInput, Options>('runc-options', name);
  return { typeUrl: name, value: message.serialize(options) };
}
