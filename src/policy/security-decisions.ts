import type { SeccompProfile } from './seccomp-profile.ts';

/** What the gate made of a request's security fields: the spec builder applies these and parses none of them again. */
export interface SecurityDecisions {
  readonly privileged: boolean;
  /** Names with `CAP_`, in the kernel's order: known, grantable here, and asked for or default. */
  readonly capabilities: readonly string[];
  /** A profile is of the client's own, and no wider than the default unless the operator has consented. */
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  /** Profile name; `docker-default` unless asked otherwise. */
  readonly appArmor: string;
  readonly noNewPrivileges: boolean;
  readonly writableCgroups: boolean;
}
