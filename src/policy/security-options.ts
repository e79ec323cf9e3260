import type { Grant } from './privilege-rule.ts';
import { findWider } from './seccomp-width.ts';
import { decodeSeccompProfile, type SeccompProfile } from './seccomp-profile.ts';
import { bad, deny, quote, type Finding } from './rule.ts';

/** `HostConfig.SecurityOpt`, parsed once: what is checked is what is applied. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  /** Empty: the default. */
  readonly appArmor: string;
  readonly writableCgroups: boolean;
  /** SELinux options, without `label=`. */
  readonly labels: readonly string[];
  readonly findings: readonly Finding[];
}

type Parsed = { -readonly [K in keyof SecurityOptions]: SecurityOptions[K] };

interface Option {
  readonly text: string;
  readonly key: string;
  /** Undefined for an option without a separator. */
  readonly value: string | undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);
const PROFILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
const DEFAULT_APPARMOR = 'docker-default';

/** Parses every form that dockerd takes (`key=value`, the old `key:value`, bare flags); the last of a kind wins. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const parsed: Parsed = {
    noNewPrivileges: false,
    seccomp: 'default',
    appArmor: '',
    writableCgroups: false,
    labels: [],
    findings: [],
  };
  for (const text of options) {
    parsed.findings = [...parsed.findings, ...applyOption(splitOption(text), parsed)];
  }
  return parsed;
}

function splitOption(text: string): Option {
  const separator = text.includes('=') ? '=' : ':';
  const at = text.indexOf(separator);
  return at < 0
    ? { text, key: text, value: undefined }
    : { text, key: text.slice(0, at), value: text.slice(at + 1) };
}

function invalid(option: Option): readonly Finding[] {
  // dockerd's words number the two places where it gives up: without a value, and with a key that it does not know.
  return [bad(`invalid --security-opt ${option.value === undefined ? 1 : 2}: ${quote(option.text)}`)];
}

function applyOption(option: Option, parsed: Parsed): readonly Finding[] {
  switch (option.key) {
    case 'no-new-privileges':
      return applyFlag(option, (isSet) => {
        parsed.noNewPrivileges = isSet;
        return [];
      });
    case 'writable-cgroups':
      return applyFlag(option, (isSet) => {
        parsed.writableCgroups = isSet;
        return isSet ? [deny(option.text, grantOf(option))] : [];
      });
    case 'seccomp':
      return applySeccomp(option, parsed);
    case 'apparmor':
      return applyAppArmor(option, parsed);
    case 'systempaths':
      // The CLI turns this one into empty lists of paths; as an option it means nothing to dockerd.
      return option.value === 'unconfined' ? [deny(option.text), ...invalid(option)] : invalid(option);
    case 'label':
    case 'disable':
      return applyLabel(option, parsed);
    default:
      return invalid(option);
  }
}

/** Rules write options with `=`; what a privileged container has needs no option. */
function grantOf({ key, value }: Option): Grant {
  return { part: 'securityOptions', names: [value === undefined ? key : `${key}=${value}`] };
}

function applyFlag(option: Option, apply: (isSet: boolean) => readonly Finding[]): readonly Finding[] {
  const isSet = option.value === undefined ? true : BOOLEANS.get(option.value);
  return isSet === undefined ? invalid(option) : apply(isSet);
}

function applySeccomp(option: Option, parsed: Parsed): readonly Finding[] {
  if (option.value === 'builtin') {
    parsed.seccomp = 'default';
    return [];
  }
  if (option.value === 'unconfined') {
    parsed.seccomp = 'unconfined';
    return [deny(option.text, grantOf(option))];
  }
  if (option.value?.trimStart().startsWith('{') === true) {
    return applyProfile(option.value, parsed);
  }
  return invalid(option);
}

/** The CLI sends the file's text. Without consent it may only take away from what the built-in profile allows. */
function applyProfile(text: string, parsed: Parsed): readonly Finding[] {
  const profile = decodeSeccompProfile(text);
  if (typeof profile === 'string') {
    const message = `this seccomp profile is not supported: ${profile}`;
    return [deny('seccomp=<profile>'), { kind: 'unsupported', message }];
  }
  parsed.seccomp = profile;
  const wider = findWider(profile);
  return wider === undefined ? [] : [deny(`seccomp=<profile that allows ${wider}>`)];
}

function applyAppArmor(option: Option, parsed: Parsed): readonly Finding[] {
  const profile = option.value;
  if (profile === undefined || !PROFILE_NAME.test(profile) || profile.length > 128) {
    return invalid(option);
  }
  parsed.appArmor = profile;
  if (profile.toLowerCase() === 'unconfined' && profile !== 'unconfined') {
    return invalid(option);
  }
  return profile === DEFAULT_APPARMOR ? [] : [deny(option.text, grantOf(option))];
}

function applyLabel(option: Option, parsed: Parsed): readonly Finding[] {
  const label = option.key === 'disable' && option.value === undefined ? 'disable' : option.value;
  if (option.key === 'disable' && option.value !== undefined) {
    return invalid(option);
  }
  if (label === undefined || !/^(disable|(user|role|type|level|filetype|nested):.+)$/.test(label)) {
    return invalid(option);
  }
  parsed.labels = [...parsed.labels, label];
  return [];
}
