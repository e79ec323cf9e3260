import { EngineError } from '../errors.ts';

/** A failure to read an archive, which is its sender's fault; an EngineError stays itself. */
export function archiveError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError('InvalidArgument', `invalid archive: ${reason}`, { cause: error });
}
