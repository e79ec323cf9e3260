import type { HostConfig, LogConfig, RestartPolicy } from '../../wire/host-config.ts';
import { bad, free, quote, unless, type Finding, type RuleTable } from '../rule.ts';

type Fields = 'AutoRemove' | 'RestartPolicy' | 'LogConfig' | 'ContainerIDFile' | 'ConsoleSize';

const LOG_DRIVERS: readonly string[] = ['json-file', 'local', 'none'];
const MAX_TAG = 512;
const LOG_SIZE = /^[0-9]+(?:\.[0-9]+)?\s?[kmgtp]?i?b?$/i;

function checkRestartPolicy({ Name: name, MaximumRetryCount: count }: RestartPolicy): readonly Finding[] {
  const invalid = (why: string): readonly Finding[] => [bad(`invalid restart policy: ${why}`)];
  switch (name) {
    case '':
      return [];
    case 'no':
    case 'always':
    case 'unless-stopped':
      return count === 0
        ? []
        : invalid(
            `maximum retry count can only be used with 'on-failure'${count < 0 ? ' and cannot be negative' : ''}`,
          );
    case 'on-failure':
      return count >= 0 ? [] : invalid('maximum retry count cannot be negative');
    default:
      return invalid(
        `unknown policy '${name.slice(0, 64)}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
      );
  }
}

const TAG = /^(?:[^{}]|\{\{\s*\.(?:ID|FullID|Name|ImageName|ImageID|ImageFullID|DaemonName)\s*\}\})*$/;

function checkLogOption(driver: string, option: string, value: string): readonly Finding[] {
  if (option === 'max-size') {
    return unless(
      LOG_SIZE.test(value) && Number.parseFloat(value) > 0,
      bad(`invalid value for log opt 'max-size': ${quote(value)}`),
    );
  }
  if (option === 'max-file') {
    return unless(
      /^[1-9][0-9]{0,3}$/.test(value),
      bad(`invalid value for log opt 'max-file': ${quote(value)}`),
    );
  }
  if (option === 'compress')
    return /^(?:true|false)$/.test(value)
      ? unless(value === 'false', { kind: 'warn', message: 'The log of a container is not compressed.' })
      : [bad(`invalid value for log opt 'compress': ${quote(value)}`)];
  if (driver === 'json-file' && (option === 'labels' || option === 'env')) return [];
  if (driver === 'json-file' && option === 'tag')
    return unless(
      value.length <= MAX_TAG && TAG.test(value),
      bad(`invalid value for log opt 'tag': ${quote(value)}`),
    );
  return [bad(`unknown log opt '${option.slice(0, 64)}' for ${driver} log driver`)];
}

function checkLogConfig({ Type: driver, Config: options }: LogConfig): readonly Finding[] {
  if (!LOG_DRIVERS.includes(driver)) {
    const plugin = driver.slice(0, 64);
    return [bad(`error looking up logging plugin ${plugin}: plugin ${quote(plugin)} not found`)];
  }
  return Object.entries(options).flatMap(([option, value]) => checkLogOption(driver, option, value));
}

/** The rows of a container's life and output. */
export const lifecycleRules: RuleTable<Pick<HostConfig, Fields>> = {
  AutoRemove: {
    verdict: 'bad',
    reason: 'a container that is removed at its end cannot be started again',
    check: (isAsked, { request }) =>
      unless(
        !isAsked || ['', 'no'].includes(request.hostConfig.RestartPolicy.Name),
        bad("can't create 'AutoRemove' container with restart policy"),
      ),
  },
  RestartPolicy: { verdict: 'bad', reason: 'restarts end with the job', check: checkRestartPolicy },
  LogConfig: {
    verdict: 'bad',
    reason:
      "other drivers send output away from the job or run programs of the machine; sizes stay below the job's own",
    check: checkLogConfig,
  },
  ContainerIDFile: free('the client writes this file; the daemon writes none'),
  ConsoleSize: free('the first size of a terminal'),
};
