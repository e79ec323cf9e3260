/** What must be true of a container and its machine; all of it, where several things are named. */
export interface SeccompCondition {
  readonly capabilities?: readonly string[] | undefined;
  /** As Go names them. */
  readonly architectures?: readonly string[] | undefined;
  readonly minKernel?: string | undefined;
}

/** A comparison of a system call's argument, as libseccomp knows it. */
export interface SeccompArg {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number | undefined;
  readonly op: string;
}

/** What becomes of some system calls. */
export interface SeccompRule {
  readonly syscalls: readonly string[];
  readonly action: string;
  readonly errno?: number | undefined;
  readonly args?: readonly SeccompArg[] | undefined;
  readonly requires?: SeccompCondition | undefined;
  /** The rule is left out when any of it is true. */
  readonly unless?: SeccompCondition | undefined;
}

/** A filter of a client's own, every part of it understood. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrno: number | undefined;
  /** By libseccomp's names; undefined: the machine's own alone. */
  readonly architectures: readonly string[] | undefined;
  readonly rules: readonly SeccompRule[];
}

/** Actions that keep a system call from being made. */
export const REFUSING_ACTIONS: ReadonlySet<string> = new Set([
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
]);
const ALLOW = 'SCMP_ACT_ALLOW';
const OPERATORS: ReadonlySet<string> = new Set(
  ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`),
);
const MAX_ERRNO = 4095;
const MAX_INDEX = 5;
const MAX_RULES = 1024;
const MAX_NAMES = 4096;
const NAME = /^[A-Za-z0-9_]{1,64}$/;
const KERNEL = /^\d{1,4}\.\d{1,4}$/;

/** Reads a profile in Docker's format; the reason where something in it is not understood, or lets more than a yes or no. */
export function decodeSeccompProfile(text: string): SeccompProfile | string {
  try {
    return decodeProfile(JSON.parse(text));
  } catch (error) {
    if (error instanceof ProfileError) return error.message;
    if (error instanceof SyntaxError) return 'it is no JSON';
    throw error;
  }
}

class ProfileError extends Error {}

function decodeProfile(value: unknown): SeccompProfile {
  const profile = members(value, 'profile', [
    'defaultAction',
    'defaultErrnoRet',
    'architectures',
    'archMap',
    'syscalls',
  ]);
  const defaultAction = text(profile['defaultAction'], 'defaultAction');
  if (!REFUSING_ACTIONS.has(defaultAction)) throw new ProfileError(`defaultAction is ${defaultAction}`);
  const named = optional(profile['architectures'], (list) => texts(list, 'architectures', NAME));
  const mapped = optional(profile['archMap'], (list) =>
    elements(list, 'archMap').flatMap(decodeArchitecture),
  );
  if (named && named.length > 0 && mapped && mapped.length > 0)
    throw new ProfileError('it has both architectures and archMap');
  const rules = elements(profile['syscalls'] ?? [], 'syscalls').map(decodeRule);
  if (rules.flatMap(({ syscalls }) => syscalls).length > MAX_NAMES) throw new ProfileError('it is too long');
  return {
    defaultAction,
    defaultErrno: optional(profile['defaultErrnoRet'], (errno) =>
      integer(errno, 'defaultErrnoRet', MAX_ERRNO),
    ),
    architectures: mapped && mapped.length > 0 ? mapped : named,
    rules,
  };
}

function decodeArchitecture(value: unknown): readonly string[] {
  const entry = members(value, 'archMap', ['architecture', 'subArchitectures']);
  return [
    text(entry['architecture'], 'architecture', NAME),
    ...texts(entry['subArchitectures'] ?? [], 'subArchitectures', NAME),
  ];
}

function decodeRule(value: unknown): SeccompRule {
  const rule = members(value, 'syscalls', [
    ...['name', 'names', 'action', 'errnoRet', 'args', 'comment', 'includes', 'excludes'],
  ]);
  const action = text(rule['action'], 'action');
  if (action !== ALLOW && !REFUSING_ACTIONS.has(action)) throw new ProfileError(`an action is ${action}`);
  const name = optional(rule['name'], (one) => (one === '' ? undefined : text(one, 'name', NAME)));
  const names = texts(rule['names'] ?? [], 'names', NAME);
  if (name !== undefined && names.length > 0) throw new ProfileError('a rule has both name and names');
  const args = optional(rule['args'], (list) => elements(list, 'args').map(decodeArg)) ?? [];
  return {
    syscalls: name === undefined ? names : [name],
    action,
    errno: optional(rule['errnoRet'], (errno) => integer(errno, 'errnoRet', MAX_ERRNO)),
    ...(args.length > 0 ? { args } : {}),
    requires: optional(rule['includes'], decodeCondition),
    unless: optional(rule['excludes'], decodeCondition),
  };
}

function decodeArg(value: unknown): SeccompArg {
  const arg = members(value, 'args', ['index', 'value', 'valueTwo', 'op']);
  const op = text(arg['op'], 'op');
  if (!OPERATORS.has(op)) throw new ProfileError(`op is ${op}`);
  return {
    index: integer(arg['index'], 'index', MAX_INDEX),
    value: integer(arg['value'], 'value', Number.MAX_SAFE_INTEGER),
    valueTwo: integer(arg['valueTwo'] ?? 0, 'valueTwo', Number.MAX_SAFE_INTEGER),
    op,
  };
}

function decodeCondition(value: unknown): SeccompCondition {
  const condition = members(value, 'includes or excludes', ['caps', 'arches', 'minKernel']);
  return {
    capabilities: optional(condition['caps'], (list) => texts(list, 'caps', NAME)),
    architectures: optional(condition['arches'], (list) => texts(list, 'arches', NAME)),
    minKernel: optional(condition['minKernel'], (version) => text(version, 'minKernel', KERNEL)),
  };
}

/** Absent, null and an empty list or object say the same in Go. */
function optional<T>(value: unknown, decode: (value: unknown) => T): T | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) && value.length === 0 ? undefined : decode(value);
}

function members(value: unknown, what: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProfileError(`${what} is no object`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ProfileError(`${what} has ${JSON.stringify(unknown.slice(0, 64))}`);
  return value as Readonly<Record<string, unknown>>;
}

function elements(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_RULES) throw new ProfileError(`${what} is no list`);
  return value;
}

function texts(value: unknown, what: string, pattern: RegExp): readonly string[] {
  return elements(value, what).map((one) => text(one, what, pattern));
}

function text(value: unknown, what: string, pattern: RegExp = NAME): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new ProfileError(`${what} is no name`);
  return value;
}

function integer(value: unknown, what: string, most: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most)
    throw new ProfileError(`${what} is no number that it can be`);
  return value;
}
