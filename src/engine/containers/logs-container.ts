import { EngineError } from '../../errors.ts';
import type { LogFrame, LogReadOptions } from '../../logstore/types.ts';
import type { Job } from '../job.ts';
import { logAttributes } from './log-attributes.ts';

/** What of a log a client wants. */
export interface LogOptions extends Omit<LogReadOptions, 'details'> {
  /** Show what the container's log options say that each line bears. */
  readonly details: boolean;
}

/** A container's log as frames; `isTty` tells whether they are sent raw. */
export interface ContainerLogs {
  readonly isTty: boolean;
  readonly frames: AsyncIterable<LogFrame>;
}

/** `docker logs`. Following one that is not running ends with what there is. */
export function logsContainer(
  job: Job,
  containerRef: string,
  request: { readonly options: LogOptions; readonly signal: AbortSignal },
): ContainerLogs {
  if (!request.options.stdout && !request.options.stderr)
    throw new EngineError('InvalidArgument', 'Bad parameters: you must choose at least one stream');
  const container = job.containers.resolve(containerRef);
  if (container.record.hostConfig.LogConfig.Type === 'none')
    throw new EngineError('NotImplemented', 'configured logging driver does not support reading');
  const details = request.options.details ? logAttributes(container) : undefined;
  const follow = request.options.follow && container.run !== undefined;
  return {
    isTty: container.record.config.Tty,
    frames: job.logs.read(container.id, { ...request.options, details, follow }, request.signal),
  };
}
