import { EngineError } from '../errors.ts';
import { readFlags } from './flags.ts';
import { parseDockerfile, parseError } from './parse-dockerfile.ts';
import { parseInstruction } from './parse-instruction.ts';
import { splitBlanks } from './split-words.ts';
import type { Dockerfile, DockerfileNode, Instruction, Stage } from './types.ts';

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

/** Reads a Dockerfile; InvalidArgument with the line and in the parser's words. */
export function parseStages(text: string): Dockerfile {
  const { nodes, escape, syntax, warnings } = parseDockerfile(text);
  const metaArgs: (Instruction & { readonly kind: 'ARG' })[] = [];
  const stages: (Stage & { readonly instructions: Instruction[] })[] = [];
  for (const node of nodes) {
    try {
      const stage = stages.at(-1);
      if (node.word.toUpperCase() === 'FROM') {
        stages.push({ ...parseFrom(node), instructions: [] });
        continue;
      }
      const instruction = parseInstruction(node, escape);
      if (stage) stage.instructions.push(instruction);
      else if (instruction.kind === 'ARG') metaArgs.push(instruction);
      else throw new EngineError('InvalidArgument', 'no build stage in current context');
    } catch (error) {
      throw parseError(error, node.line);
    }
  }
  return { metaArgs, stages, escape, syntax, warnings };
}

/** Reads the one instruction that an ONBUILD trigger is. */
export function parseTrigger(trigger: string): Instruction {
  const { nodes, escape } = parseDockerfile(trigger);
  const [node] = nodes;
  if (!node || nodes.length !== 1)
    throw new EngineError('InvalidArgument', 'onbuild trigger should be a single expression');
  return parseInstruction(node, escape);
}

function parseFrom(node: DockerfileNode): Omit<Stage, 'instructions'> {
  const words = splitBlanks(node.rest);
  const [base = '', as = '', name = ''] = words;
  const isNamed = words.length === 3 && as.toLowerCase() === 'as';
  if (!isNamed && words.length !== 1)
    throw new EngineError('InvalidArgument', 'FROM requires either one or three arguments');
  if (isNamed && !STAGE_NAME.test(name.toLowerCase()))
    throw new EngineError(
      'InvalidArgument',
      `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`,
    );
  const flags = readFlags(node.flags, { platform: 'string' });
  return {
    name: isNamed ? name.toLowerCase() : '',
    base,
    platform: flags.string('platform'),
    source: node.original.trim(),
    line: node.line,
  };
}
