import { EngineError } from '../errors.ts';
import type { SolveRequest } from './generated/control.ts';

const WAY_OUT = 'DOCKER_BUILDKIT=0 builds without BuildKit';

function unserved(what: string): EngineError {
  return new EngineError('NotImplemented', `${what} is not supported by this daemon: ${WAY_OUT}`);
}

/**
 * Refuses what of a build is not looked at: steps that the client has made itself, policies about what may be fetched,
 * caches that would be written somewhere. NotImplemented names it.
 */
export function refuseUnserved(asked: SolveRequest): void {
  if (asked.Definition.length > 0) throw unserved("a build of the client's own definition (LLB)");
  if (Object.keys(asked.FrontendInputs).length > 0) throw unserved('a build with inputs of the client');
  if (asked.SourcePolicy.length > 0 || asked.SourcePolicySession !== '') throw unserved('a source policy');
  const { ExportRefDeprecated: ref = '', Exports: exports = [] } = asked.Cache ?? {};
  // Inline: what the image itself tells of its steps, which --cache-from reads here of any image.
  const [refused] = exports.filter(({ Type: type }) => type !== 'inline');
  if (refused) throw unserved(`--cache-to type=${refused.Type.slice(0, 100)}`);
  if (ref !== '') throw unserved('--cache-to');
}
