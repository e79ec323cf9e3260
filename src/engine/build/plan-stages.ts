import { expandWord } from '../../dockerfile/expand-word.ts';
import type { Dockerfile, Instruction, Stage } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';
import type { BuildArgs } from './build-args.ts';
import { findContext, type NamedContexts } from './named-contexts.ts';
import { mountSource } from './run-mount-syntax.ts';

/** A stage with what its FROM comes to. */
export interface PlannedStage {
  readonly index: number;
  readonly stage: Stage;
  /** The expanded base: an image, `scratch`, or the name of an earlier stage. */
  readonly base: string;
  /** As FROM says it, expanded; empty where it says nothing. */
  readonly platform: string;
  /** Index of the stage that it begins with, if it does not begin with an image. */
  readonly baseStage: number | undefined;
  /** Number of its FROM among the steps. */
  readonly firstStep: number;
}

/** The stages that a build has to carry out, in order. */
export interface StagePlan {
  /** All up to the target: a trigger of a base image may need one that nothing else does. */
  readonly all: readonly PlannedStage[];
  /** Those that the target is made from. */
  readonly stages: readonly PlannedStage[];
  readonly target: PlannedStage;
  readonly totalSteps: number;
}

/** What of the Dockerfile is asked for, and what is put on top of it. */
export interface AskedResult {
  /** Name or number of a stage; empty for the last one. */
  readonly target: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly contexts: NamedContexts;
}

/** Finds the stages that the target is made from; InvalidArgument in dockerd's words. */
export function planStages(dockerfile: Dockerfile, args: BuildArgs, asked: AskedResult): StagePlan {
  const targetIndex = findTarget(dockerfile.stages, asked.target);
  const bases = dockerfile.stages.slice(0, targetIndex + 1).map((stage, index) =>
    describeStage(dockerfile, args, {
      contexts: asked.contexts,
      stage: index === targetIndex ? withLabels(stage, asked.labels) : stage,
      index,
    }),
  );
  refuseSameNames(dockerfile.stages.slice(0, targetIndex + 1));
  const needed = findNeeded(bases, targetIndex, asked.contexts);
  // As dockerd counts, which carries out every stage up to the target.
  let step = dockerfile.metaArgs.length + 1;
  const all = bases.map((planned) => {
    const firstStep = step;
    step += 1 + planned.stage.instructions.length;
    return { ...planned, firstStep };
  });
  const stages = all.filter(({ index }) => needed.has(index));
  const last = stages.at(-1);
  if (!last) throw new EngineError('InvalidArgument', 'No image was generated. Is your Dockerfile empty?');
  return { all, stages, target: last, totalSteps: step - 1 };
}

/** The earlier stage that a name or number stands for; undefined for anything else, which is then an image. */
export function findStage(
  stages: readonly Pick<Stage, 'name'>[],
  reference: string,
  current: number,
): number | undefined {
  const earlier = stages.slice(0, current);
  const named = earlier.findIndex(({ name }) => name !== '' && name === reference.toLowerCase());
  if (named >= 0) return named;
  if (!/^\d{1,9}$/.test(reference)) return undefined;
  const index = Number(reference);
  if (index < current) return index;
  const problem = index === current ? 'refers to current build stage' : 'index out of bounds';
  throw new EngineError('InvalidArgument', `invalid from flag value ${reference}: ${problem}`);
}

/** What stages or images the instruction takes files from. */
export function sourcesOf(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'COPY') return instruction.from === '' ? [] : [instruction.from];
  if (instruction.kind !== 'RUN') return [];
  return instruction.mounts.map(mountSource).filter((from) => from !== '');
}

function findTarget(stages: readonly Stage[], target: string): number {
  if (stages.length === 0) throw new EngineError('InvalidArgument', 'no build stage in current context');
  if (target === '') return stages.length - 1;
  const named = stages.findIndex(({ name }) => name !== '' && name === target.toLowerCase());
  if (named >= 0) return named;
  const index = /^\d{1,9}$/.test(target) ? Number(target) : stages.length;
  if (index < stages.length) return index;
  throw new EngineError('InvalidArgument', `target stage ${JSON.stringify(target)} could not be found`);
}

// As if each stood at the end of the Dockerfile.
function withLabels(stage: Stage, labels: AskedResult['labels']): Stage {
  const instructions = Object.keys(labels)
    .sort()
    .map((key): Instruction => {
      const value = labels[key] ?? '';
      return {
        kind: 'LABEL',
        pairs: [{ key, value, hasEquals: true }],
        isLiteral: true,
        source: `LABEL ${key}=${value}`,
        line: stage.line,
      };
    });
  return { ...stage, instructions: [...stage.instructions, ...instructions] };
}

function refuseSameNames(stages: readonly Stage[]): void {
  const names = new Set<string>();
  for (const { name } of stages) {
    if (names.has(name)) throw new EngineError('InvalidArgument', `${name} stage name already used`);
    if (name !== '') names.add(name);
  }
}

function describeStage(
  { stages, escape }: Dockerfile,
  args: BuildArgs,
  {
    stage,
    index,
    contexts,
  }: { readonly stage: Stage; readonly index: number; readonly contexts: NamedContexts },
): Omit<PlannedStage, 'firstStep'> {
  const variables = args.metaVariables();
  const base = expandWord(stage.base, variables, { escape });
  if (base === '') throw new EngineError('InvalidArgument', `base name (${stage.base}) should not be blank`);
  const baseStage = stages
    .slice(0, index)
    .findIndex(({ name }) => name !== '' && name === base.toLowerCase());
  return {
    index,
    stage,
    base,
    platform: expandWord(stage.platform, variables, { escape }),
    baseStage: baseStage < 0 || findContext(contexts, base) ? undefined : baseStage,
  };
}

function findNeeded(
  stages: readonly Omit<PlannedStage, 'firstStep'>[],
  target: number,
  contexts: NamedContexts,
): ReadonlySet<number> {
  const needed = new Set<number>();
  const names = stages.map(({ stage }) => stage);
  const visit = (index: number): void => {
    const planned = stages[index];
    if (!planned || needed.has(index)) return;
    needed.add(index);
    if (planned.baseStage !== undefined) visit(planned.baseStage);
    for (const source of planned.stage.instructions.flatMap(sourcesOf)) {
      if (findContext(contexts, source)) continue;
      const from = findStage(names, source, index);
      if (from !== undefined) visit(from);
    }
  };
  visit(target);
  return needed;
}
