import { EngineError } from '../errors.ts';
import { readFlags } from './flags.ts';
import { parseDuration } from './parse-duration.ts';
import { parseJsonWords } from './split-words.ts';
import type { DockerfileNode, HealthcheckArguments } from './types.ts';

const MIN_INTERVAL_NS = 1e6;
const MAX_RETRIES = 2 ** 31 - 1;
const NO_TIMES = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };

/** What HEALTHCHECK asks for. */
export function parseHealthcheck(node: DockerfileNode): HealthcheckArguments {
  const match = /^(\S+)\s*([\s\S]*)$/.exec(node.rest);
  if (!match) throw new EngineError('InvalidArgument', 'HEALTHCHECK requires at least one argument');
  const [, word = '', rest = ''] = match;
  const type = word.toUpperCase();
  const json = parseJsonWords(rest);
  const command = json ?? (rest === '' ? [] : [rest]);
  if (type === 'NONE') {
    if (command.length > 0) throw new EngineError('InvalidArgument', 'HEALTHCHECK NONE takes no arguments');
    return { test: ['NONE'], ...NO_TIMES };
  }
  const times = parseTimes(node);
  if (type !== 'CMD')
    throw new EngineError('InvalidArgument', `Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  if (command.length === 0) throw new EngineError('InvalidArgument', 'Missing command after HEALTHCHECK CMD');
  return { test: [json ? 'CMD' : 'CMD-SHELL', ...command], ...times };
}

function parseTimes(node: DockerfileNode): Omit<HealthcheckArguments, 'test'> {
  const flags = readFlags(node.flags, {
    interval: 'string',
    timeout: 'string',
    'start-period': 'string',
    'start-interval': 'string',
    retries: 'string',
  });
  const time = (name: string): number => {
    const text = flags.string(name);
    if (text === '') return 0;
    const duration = parseDuration(text);
    if (duration !== 0 && duration < MIN_INTERVAL_NS)
      throw new EngineError('InvalidArgument', `Interval "${name}" cannot be less than 1ms`);
    return duration;
  };
  return {
    interval: time('interval'),
    timeout: time('timeout'),
    startPeriod: time('start-period'),
    startInterval: time('start-interval'),
    retries: parseRetries(flags.string('retries')),
  };
}

function parseRetries(text: string): number {
  if (text === '') return 0;
  const retries = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(retries) || retries > MAX_RETRIES)
    throw new EngineError(
      'InvalidArgument',
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  if (retries < 0) throw new EngineError('InvalidArgument', `--retries cannot be negative (${retries})`);
  return retries;
}
