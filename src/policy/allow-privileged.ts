import type { PrivilegeRule } from './privilege-rule.ts';

/** Whether containers may ask for more than Docker's default confinement, and why, in words for the user. */
export interface AllowPrivileged {
  readonly allowed: boolean;
  readonly reason: string;
  /** What stands between containers and the machine. */
  readonly fence: string;
  /** What single images may have while the gate is closed. */
  readonly rules: readonly PrivilegeRule[];
  /** Patterns of images that run without the privileges that they ask for. */
  readonly neutralised: readonly string[];
}

/** The operator's settings that the gate hangs on. */
export interface PrivilegeSettings {
  readonly allowPrivileged: boolean | readonly PrivilegeRule[] | undefined;
  readonly neutralise: readonly string[];
  readonly hostPlatform: 'linux' | 'darwin' | 'windows';
  /** What the operator says stands between the containers' kernel and the machine; undefined where nothing was said. */
  readonly fence: string | undefined;
}

/** The name of the operator's setting, as every refusal shows it. */
export const ALLOW_PRIVILEGED_SETTING = 'dind.allow_privileged';

/** What stands between containers and the machine, in one word. */
export function fenceOf({ fence, hostPlatform }: Pick<PrivilegeSettings, 'fence' | 'hostPlatform'>): string {
  return fence ?? (hostPlatform === 'linux' ? 'none' : `the virtual machine of a ${hostPlatform} host`);
}

/**
 * Settles the setting: absent means yes on macOS and Windows hosts, whose containers live in a managed virtual
 * machine, and no on Linux, where the kernel is the host's own, or where the operator says that there is no fence.
 */
export function resolveAllowPrivileged(settings: PrivilegeSettings): AllowPrivileged {
  const { allowPrivileged: setting, neutralise: neutralised } = settings;
  const rules = typeof setting === 'object' ? setting : [];
  const shared = { neutralised, rules, fence: fenceOf(settings) };
  if (typeof setting === 'boolean') {
    const reason = `${ALLOW_PRIVILEGED_SETTING} is ${setting ? 'true' : 'false'}`;
    return { ...shared, allowed: setting, reason };
  }
  if (setting !== undefined) {
    const reason = `${ALLOW_PRIVILEGED_SETTING} lists what single images may have, and not this of this one`;
    return { ...shared, allowed: false, reason };
  }
  return { ...shared, ...byPlatform(settings) };
}

function byPlatform({
  hostPlatform: platform,
  fence,
}: PrivilegeSettings): Pick<AllowPrivileged, 'allowed' | 'reason'> {
  const absent = `${ALLOW_PRIVILEGED_SETTING} is not set`;
  if (platform === 'linux') return { allowed: false, reason: `${absent}, and this is a Linux host` };
  if (fence === 'none') return { allowed: false, reason: `${absent}, and dind.fence is none` };
  return {
    allowed: true,
    reason: `${absent}, and the host (${platform}) runs containers in a virtual machine`,
  };
}
