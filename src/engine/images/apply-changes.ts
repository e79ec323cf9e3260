import { parseDockerfile } from '../../dockerfile/parse-dockerfile.ts';
import { parseInstruction } from '../../dockerfile/parse-instruction.ts';
import { isErrorKind, ShapeError } from '../../errors.ts';
import type { ImageRunConfig } from '../../oci/image-config.ts';
import { changeConfig, changeDirectory } from '../build/change-config.ts';
import { expandInstruction } from '../build/expand-instruction.ts';

const ALLOWED: ReadonlySet<string> = new Set([
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'ONBUILD',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
]);

/** The configuration after the instructions that a commit or an import names; InvalidArgument in dockerd's words. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  if (changes.length === 0) return config;
  try {
    return applyInstructions(config, changes);
  } catch (cause) {
    if (!isErrorKind(cause, 'InvalidArgument') || cause instanceof ShapeError) throw cause;
    // What it says may be the value of a variable.
    const reason = 'an instruction that is not of its form';
    throw new ShapeError(cause.message, { field: 'query changes', reason, cause });
  }
}

function applyInstructions(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const { nodes, escape } = parseDockerfile(changes.join('\n'));
  for (const { word } of nodes)
    if (!ALLOWED.has(word.toUpperCase()))
      throw new ShapeError(`${word.toLowerCase()} is not a valid change command`);
  let changed = config;
  let isCmdSet = false;
  for (const node of nodes) {
    const instruction = expandInstruction(parseInstruction(node, escape), variablesOf(changed), { escape });
    if (instruction.kind === 'WORKDIR')
      changed = { ...changed, workingDir: changeDirectory(changed.workingDir, instruction.path) };
    else changed = changeConfig(changed, instruction, { isCmdSet })?.config ?? changed;
    isCmdSet ||= instruction.kind === 'CMD';
  }
  return changed;
}

function variablesOf({ env }: ImageRunConfig): ReadonlyMap<string, string> {
  return new Map(
    env.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
