import { cleanPath } from '../../dockerfile/clean-path.ts';
import { goQuote, goQuoteList, goQuoteNumber } from '../../dockerfile/go-format.ts';
import { formatDuration } from '../../dockerfile/parse-duration.ts';
import type { CommandLine, HealthcheckArguments, Instruction } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';
import type { ImageRunConfig } from '../../oci/image-config.ts';
import { parseSignal } from '../../oci/signals.ts';
import { parseExposedPorts } from './expose-ports.ts';

/** What an instruction changes in a configuration, and what history says of it. */
export interface ConfigChange {
  readonly config: ImageRunConfig;
  /** What stands behind `#(nop) ` in the history. */
  readonly comment: string;
  readonly author?: string;
}

const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** The shell of the shell form. */
export function shellOf({ shell }: ImageRunConfig): readonly string[] {
  return shell && shell.length > 0 ? shell : DEFAULT_SHELL;
}

/** The program that a CMD, ENTRYPOINT or RUN comes to. */
export function commandOf(config: ImageRunConfig, line: CommandLine): readonly string[] {
  return line.isShellForm ? [...shellOf(config), ...line.words] : line.words;
}

/** How history shows an instruction that runs nothing. */
export function describeNop(config: ImageRunConfig, comment: string): string {
  return [...shellOf(config), `#(nop) ${comment}`].join(' ');
}

/** The configuration after an expanded instruction that changes nothing else; undefined for one that does more. */
export function changeConfig(
  config: ImageRunConfig,
  instruction: Instruction,
  state: { readonly isCmdSet: boolean },
): ConfigChange | undefined {
  switch (instruction.kind) {
    case 'ENV':
      return {
        config: { ...config, env: setEnv(config.env, instruction.pairs) },
        comment: ` ENV ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`,
      };
    case 'LABEL':
      return {
        config: { ...config, labels: setLabels(config.labels, instruction.pairs) },
        comment: ` LABEL ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(' ')}`,
      };
    case 'MAINTAINER':
      return { config, comment: ` MAINTAINER ${instruction.name}`, author: instruction.name };
    case 'ARG':
      return { config, comment: ` ARG ${instruction.args.map(describeArg).join(' ')}` };
    case 'CMD':
    case 'ENTRYPOINT':
      return changeCommand(config, instruction, state.isCmdSet);
    case 'ONBUILD':
      return {
        config: { ...config, onBuild: [...config.onBuild, instruction.trigger] },
        comment: ` ONBUILD ${instruction.trigger}`,
      };
    default:
      return changeRest(config, instruction);
  }
}

function changeRest(config: ImageRunConfig, instruction: Instruction): ConfigChange | undefined {
  switch (instruction.kind) {
    case 'SHELL':
      return {
        config: { ...config, shell: instruction.shell },
        comment: ` SHELL [${instruction.shell.join(' ')}]`,
      };
    case 'HEALTHCHECK':
      return {
        config: { ...config, healthcheck: instruction.check },
        comment: ` HEALTHCHECK ${describeHealthcheck(instruction.check)}`,
      };
    case 'EXPOSE':
      return {
        config: { ...config, exposedPorts: join(config.exposedPorts, parseExposedPorts(instruction.ports)) },
        comment: ` EXPOSE ${instruction.ports.join(' ')}`,
      };
    case 'USER':
      return { config: { ...config, user: instruction.user }, comment: ` USER ${instruction.user}` };
    case 'VOLUME':
      if (instruction.paths.includes(''))
        throw new EngineError('InvalidArgument', 'VOLUME specified can not be an empty string');
      return {
        config: { ...config, volumes: join(config.volumes, instruction.paths) },
        comment: ` VOLUME [${instruction.paths.join(' ')}]`,
      };
    case 'STOPSIGNAL':
      parseSignal(instruction.signal);
      return {
        config: { ...config, stopSignal: instruction.signal },
        comment: ` STOPSIGNAL ${instruction.signal}`,
      };
    default:
      return undefined;
  }
}

function changeCommand(
  config: ImageRunConfig,
  instruction: Instruction & { readonly kind: 'CMD' | 'ENTRYPOINT' },
  isCmdSet: boolean,
): ConfigChange {
  // As dockerd: a CMD of nothing is the shell, an ENTRYPOINT of nothing is none.
  const isNone = instruction.kind === 'ENTRYPOINT' && instruction.words.length === 0;
  const command = isNone ? [] : commandOf(config, instruction);
  const comment = ` ${instruction.kind} ${goQuoteList(command)}`;
  if (instruction.kind === 'CMD') return { config: { ...config, cmd: command }, comment };
  // A command that came with the base was for the base's entrypoint.
  const entrypoint = isNone ? undefined : command;
  return { config: { ...config, entrypoint, cmd: isCmdSet ? config.cmd : undefined }, comment };
}

/** Where WORKDIR leads to from where it stands. */
export function changeDirectory(current: string, path: string): string {
  if (path === '') throw new EngineError('InvalidArgument', 'cannot normalize nothing');
  // As dockerd: an absolute one stays as it is written.
  return path.startsWith('/') ? path : cleanPath(`/${current}/${path}`);
}

/** Adds PATH where an environment has none. */
export function withDefaultPath(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith('PATH='))
    ? env
    : [...env, 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
}

type Pairs = readonly { readonly key: string; readonly value: string }[];

function setEnv(env: readonly string[], pairs: Pairs): readonly string[] {
  const result = [...env];
  for (const { key, value } of pairs) {
    if (key === '' || key.startsWith('='))
      throw new EngineError('InvalidArgument', `invalid environment variable: ${key}=${value}`);
    const at = result.findIndex((entry) => entry.startsWith(`${key}=`));
    if (at < 0) result.push(`${key}=${value}`);
    else result[at] = `${key}=${value}`;
  }
  return result;
}

function setLabels(labels: Readonly<Record<string, string>>, pairs: Pairs): Readonly<Record<string, string>> {
  // Without a prototype, so that a label named __proto__ is a label.
  const result = Object.assign(Object.create(null) as Record<string, string>, labels);
  for (const { key, value } of pairs) result[key] = value;
  return result;
}

function join(names: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...names, ...more])].sort();
}

function describeArg({ name, value }: { readonly name: string; readonly value: string | undefined }): string {
  return value === undefined ? name : `${name}=${value}`;
}

function describeHealthcheck(check: HealthcheckArguments): string {
  const times = [check.interval, check.timeout, check.startPeriod].map((time) =>
    goQuote(formatDuration(time)),
  );
  return `&{${[goQuoteList(check.test), ...times, goQuoteNumber(check.retries)].join(' ')}}`;
}
