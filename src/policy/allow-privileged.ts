/** Whether containers may ask for more than Docker's default confinement, and why, in words for the user. */
export interface AllowPrivileged {
  readonly allowed: boolean;
  readonly reason: string;
}

/** The name of the operator's setting, as every refusal shows it. */
export const ALLOW_PRIVILEGED_SETTING = 'dind.allow_privileged';

/**
 * Settles the tri-state setting: absent means yes on macOS and Windows hosts, whose containers live in a
 * managed virtual machine, and no on Linux, where the kernel is the host's own.
 */
export function resolveAllowPrivileged(
  setting: boolean | undefined,
  platform: 'linux' | 'darwin' | 'windows',
): AllowPrivileged {
  if (setting !== undefined) {
    return { allowed: setting, reason: `${ALLOW_PRIVILEGED_SETTING} is ${setting ? 'true' : 'false'}` };
  }
  if (platform === 'linux') {
    return { allowed: false, reason: `${ALLOW_PRIVILEGED_SETTING} is not set, and this is a Linux host` };
  }
  return {
    allowed: true,
    reason: `${ALLOW_PRIVILEGED_SETTING} is not set, and the host (${platform}) runs containers in a virtual machine`,
  };
}
