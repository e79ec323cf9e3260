import type { ContainerConfig, HealthConfig } from '../wire/container-config.ts';
import { FEATURES } from './features.ts';
import { MAX_MOUNTS, refuseMountPoint } from './mount-point.ts';
import { isContainerPort } from './port-spec.ts';
import { bad, free, quote, unless, type CheckOnly, type Finding, type RuleTable } from './rule.ts';
import { isUserSyntax } from './user-syntax.ts';
import { checkWorkingDir } from './working-dir.ts';

const HOSTNAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;
const MAX_NAME_LENGTH = 64;
const MAC_ADDRESS = /^[0-9a-f][02468ace](?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}$/i;
const SIGNAL = /^(?:[0-9]{1,3}|[A-Za-z][A-Za-z0-9]{1,15}(?:[+-][0-9]{1,2})?)$/;
const MIN_DURATION = 1_000_000;
const INSIDE = 'only the container itself sees it';

function checkName(what: string, name: string): readonly Finding[] {
  if (name.length > MAX_NAME_LENGTH) {
    return [bad(`${what} ${quote(name)} is too long (maximum ${MAX_NAME_LENGTH} bytes)`)];
  }
  return unless(name === '' || HOSTNAME.test(name), bad(`invalid ${what} format: ${quote(name)}`));
}

function checkHealthcheck(health: HealthConfig): readonly Finding[] {
  const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
  const [kind = ''] = health.Test ?? [];
  const isProbe = kind !== '' && kind !== 'NONE';
  return [
    ...durations.flatMap((name) => {
      const duration = health[name] ?? 0;
      return unless(
        duration === 0 || duration >= MIN_DURATION,
        bad(`${name} in Healthcheck cannot be less than 1ms`),
      );
    }),
    ...unless((health.Retries ?? 0) >= 0, bad('Retries in Healthcheck cannot be negative')),
    ...unless(
      ['', 'NONE', 'CMD', 'CMD-SHELL'].includes(kind),
      bad(`Unknown healthcheck type ${quote(kind)} (expected 'CMD')`),
    ),
    ...unless(!isProbe || FEATURES.healthchecks, {
      kind: 'warn',
      message: 'Healthchecks are kept for inspect and not run.',
    }),
  ];
}

/** True for a unicast MAC address, which is the only kind an interface can have. */
export function isMacAddress(text: string): boolean {
  return MAC_ADDRESS.test(text) && !/^(?:00[:-]){5}00$/.test(text);
}

// A request's strings have none by the time they come here; an image's may, and the runtime's end at it.
function hasNul(text: string): boolean {
  return text.includes('\0');
}

const COMMAND: CheckOnly<readonly string[] | null, object> = {
  verdict: 'bad',
  reason: 'only the container itself sees it; no argument can hold a NUL',
  isSecret: true,
  check: (argv) => unless(!(argv ?? []).some(hasNul), bad('invalid command: an argument holds a NUL')),
};

/** The rows of the portable configuration, a request's and, after the merge, its image's. */
export const CONTAINER_CONFIG_RULES: RuleTable<ContainerConfig, object> = {
  Hostname: {
    verdict: 'bad',
    reason: 'it is written into /etc/hosts and /etc/hostname, and must stay one word',
    check: (name) => checkName('hostname', name),
  },
  Domainname: {
    verdict: 'bad',
    reason: 'it is written into /etc/hosts, and must stay one word',
    check: (name) => checkName('domainname', name),
  },
  User: {
    verdict: 'bad',
    reason: "it is looked up in the container's own files; ids are range-checked",
    check: (user) =>
      unless(
        isUserSyntax(user),
        bad(`invalid user ${quote(user)}: uids and gids must be in range 0-2147483647`),
      ),
  },
  AttachStdin: free('streams of the job itself'),
  AttachStdout: free('streams of the job itself'),
  AttachStderr: free('streams of the job itself'),
  ExposedPorts: {
    verdict: 'bad',
    reason: 'names ports; opens none',
    check: (ports) =>
      Object.keys(ports).flatMap((port) =>
        unless(isContainerPort(port), bad(`invalid port specification: ${quote(port)}`)),
      ),
  },
  Tty: free(INSIDE),
  OpenStdin: free(INSIDE),
  StdinOnce: free(INSIDE),
  Env: {
    verdict: 'bad',
    reason: 'each needs a name',
    isSecret: true,
    check: (env) =>
      (env ?? []).flatMap((entry) =>
        unless(
          entry !== '' && !entry.startsWith('=') && !hasNul(entry),
          bad(`invalid environment variable: ${entry.slice(0, 100)}`),
        ),
      ),
  },
  Cmd: COMMAND,
  Healthcheck: {
    verdict: 'bad',
    reason: 'too short an interval is a busy loop',
    isSecret: true,
    check: checkHealthcheck,
  },
  ArgsEscaped: free('Windows only'),
  Image: free('looked up after the gate'),
  Volumes: {
    verdict: 'bad',
    reason: "each is a new volume of the job's own",
    check: (volumes) => [
      ...unless(Object.keys(volumes ?? {}).length <= MAX_MOUNTS, bad(`more than ${MAX_MOUNTS} volumes`)),
      ...Object.keys(volumes ?? {})
        .slice(0, MAX_MOUNTS)
        .flatMap((target) => {
          const refusal = refuseMountPoint(target);
          return refusal === undefined ? [] : [bad(refusal)];
        }),
      ...unless(Object.keys(volumes ?? {}).length === 0 || FEATURES.anonymousVolumes, {
        kind: 'unsupported',
        message: 'anonymous volumes are not supported',
      }),
    ],
  },
  WorkingDir: {
    verdict: 'bad',
    reason: 'below /proc it could be a directory of the machine that the runtime still has open',
    check: checkWorkingDir,
  },
  Entrypoint: COMMAND,
  NetworkDisabled: free('the same as the network mode none, whatever the mode says'),
  MacAddress: {
    verdict: 'bad',
    reason: "the address of an interface in the job's own network",
    check: (address) =>
      unless(isMacAddress(address), bad(`address ${address.slice(0, 64)}: invalid MAC address`)),
  },
  OnBuild: free('used by builds only'),
  Labels: free("kept by berth; never the labels of containerd's objects"),
  StopSignal: {
    verdict: 'bad',
    reason: 'must be a signal',
    check: (signal) => unless(SIGNAL.test(signal), bad(`invalid signal: ${signal.slice(0, 64)}`)),
  },
  StopTimeout: {
    verdict: 'bad',
    reason: 'seconds; -1 waits for ever, and the end of the job ends it all the same',
    check: (seconds) => unless(seconds >= -1, bad(`invalid stop timeout: ${seconds}`)),
  },
  Shell: free('used by builds and healthchecks only'),
};
