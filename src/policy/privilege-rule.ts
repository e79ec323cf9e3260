import { holdsForImage, readsLike, type ImageFacts } from './image-pattern.ts';

/** One entry of the operator's list: what images of this pattern may have beyond Docker's default confinement. */
export interface PrivilegeRule {
  readonly image: string;
  /** Everything that `--privileged` gives, and every part of it. */
  readonly privileged: boolean;
  /** Names with `CAP_`. */
  readonly capabilities: readonly string[];
  /** Paths of device nodes. */
  readonly devices: readonly string[];
  /** Options as `--security-opt` takes them, `seccomp=unconfined` for example. */
  readonly securityOptions: readonly string[];
}

/** A part of what a privileged container has; `names` are all needed. */
export interface Grant {
  readonly part: 'privileged' | 'capabilities' | 'devices' | 'securityOptions';
  readonly names: readonly string[];
}

/** What only a rule about privileged containers allows. */
export const PRIVILEGED_GRANT: Grant = { part: 'privileged', names: [] };

/** `yes`; `no`; or `if pulled`: the image is not here yet, and a rule would hold for it under the name that it is asked by. */
export function isGranted(
  grant: Grant | undefined,
  image: ImageFacts,
  rules: readonly PrivilegeRule[],
): 'yes' | 'if pulled' | 'no' {
  if (grant === undefined) return 'no';
  const giving = rules.filter((rule) => gives(rule, grant));
  if (giving.some((rule) => holdsForImage(rule.image, image))) return 'yes';
  return !image.isPresent && giving.some((rule) => readsLike(rule.image, image)) ? 'if pulled' : 'no';
}

function gives(rule: PrivilegeRule, { part, names }: Grant): boolean {
  if (rule.privileged) return true;
  return part !== 'privileged' && names.every((name) => rule[part].includes(name));
}
