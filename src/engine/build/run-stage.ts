import { cleanPath } from '../../dockerfile/clean-path.ts';
import { expandWord } from '../../dockerfile/expand-word.ts';
import { parseTrigger } from '../../dockerfile/parse-stages.ts';
import type { Instruction } from '../../dockerfile/types.ts';
import { EngineError } from '../../errors.ts';
import type { BuildRun, BuiltImage } from './build-run.ts';
import { changeConfig, changeDirectory, describeNop, withDefaultPath } from './change-config.ts';
import { changeFiles } from './change-files.ts';
import { claimResult, StaleCache } from './claim-layers.ts';
import { copyStep } from './copy-step.ts';
import { expandInstruction } from './expand-instruction.ts';
import type { PlannedStage } from './plan-stages.ts';
import { runStep } from './run-step.ts';
import { commitStep, type StageRun } from './stage-run.ts';
import { openBase } from './stage-source.ts';

const ROOT = { uid: 0, gid: 0 };

/** Carries out a stage, from its FROM to its last instruction. */
export async function runStage(run: BuildRun, planned: PlannedStage): Promise<BuiltImage> {
  const lane = run.lanes.open(planned.index);
  try {
    try {
      return await carryOut(await beginStage(run, planned, lane), planned);
    } catch (error) {
      if (!(error instanceof StaleCache)) throw error;
      const text = 'Cached steps were removed meanwhile: the stage begins again\n';
      await lane.report({ kind: 'note', text, isWarning: true });
      return await carryOut(await beginStage(run, planned, { ...lane, claimsAtOnce: true }), planned);
    }
  } finally {
    lane.close();
  }
}

async function carryOut(stage: StageRun, planned: PlannedStage): Promise<BuiltImage> {
  for (const [index, instruction] of planned.stage.instructions.entries()) {
    const number = planned.firstStep + 1 + index;
    await announce(stage, number, instruction.source);
    await runInstruction(stage, instruction);
    await stage.report({ kind: 'done', imageId: stage.image.id });
  }
  await claimResult(stage);
  if (stage.image.id !== '') await stage.report({ kind: 'stage', imageId: stage.image.id });
  return stage.image;
}

async function beginStage(
  run: BuildRun,
  planned: PlannedStage,
  { report, claimsAtOnce = false }: { readonly report: StageRun['report']; readonly claimsAtOnce?: boolean },
): Promise<StageRun> {
  const { totalSteps: total } = run.plan;
  const { index, firstStep: number, stage } = planned;
  await report({ kind: 'step', step: { number, total, stage: index, source: stage.source } });
  const image = await openBase(run, planned, report);
  const { config } = image.config;
  const begun: StageRun = {
    run,
    index,
    report,
    args: run.args.openStage(),
    image,
    config: { ...config, env: withDefaultPath(config.env), onBuild: [] },
    author: '',
    isCmdSet: false,
    unclaimed: [],
    claimsAtOnce,
  };
  await runTriggers(begun, config.onBuild);
  await report({ kind: 'done', imageId: begun.image.id });
  return begun;
}

async function runTriggers(stage: StageRun, triggers: readonly string[]): Promise<void> {
  if (triggers.length === 0) return;
  const text = `# Executing ${triggers.length} build trigger${triggers.length > 1 ? 's' : ''}\n`;
  await stage.report({ kind: 'note', text, isWarning: false });
  for (const trigger of triggers) await runInstruction(stage, parseTrigger(trigger));
}

async function announce({ run, index, report }: StageRun, number: number, source: string): Promise<void> {
  if (run.signal.aborted) throw new EngineError('Cancelled', 'Build cancelled');
  const { totalSteps: total } = run.plan;
  await report({ kind: 'step', step: { number, total, stage: index, source } });
}

async function runInstruction(stage: StageRun, written: Instruction): Promise<void> {
  const { escape } = stage.run.dockerfile;
  const instruction = expandInstruction(written, stage.args.variables(stage.config.env), { escape });
  switch (instruction.kind) {
    case 'RUN':
      return runStep(stage, instruction);
    case 'COPY':
    case 'ADD':
      return copyStep(stage, instruction);
    case 'WORKDIR':
      return workdirStep(stage, instruction.path);
    case 'ARG':
      for (const { name, value } of instruction.args) stage.args.declare(name, value);
      return configStep(stage, instruction);
    case 'HEALTHCHECK':
      await noteHealthcheck(stage);
      return configStep(stage, instruction);
    default:
      return configStep(stage, instruction);
  }
}

async function noteHealthcheck({ config, report }: StageRun): Promise<void> {
  const old = config.healthcheck?.test ?? [];
  if (old.length === 0 || old[0] === 'NONE') return;
  const text = `Note: overriding previous HEALTHCHECK: [${old.join(' ')}]\n`;
  await report({ kind: 'note', text, isWarning: false });
}

async function configStep(stage: StageRun, instruction: Instruction): Promise<void> {
  const change = changeConfig(stage.config, instruction, { isCmdSet: stage.isCmdSet });
  if (!change) throw new EngineError('Internal', `${instruction.kind} changes no configuration`);
  if (change.author !== undefined) stage.author = change.author;
  await commitStep(stage, {
    description: describeNop(change.config, change.comment),
    dependsOn: [],
    config: change.config,
    make: () => Promise.resolve(undefined),
  });
  if (instruction.kind === 'CMD' && instruction.words.length > 0) stage.isCmdSet = true;
}

async function workdirStep(stage: StageRun, path: string): Promise<void> {
  const workingDir = changeDirectory(stage.config.workingDir, path);
  const config = { ...stage.config, workingDir };
  await commitStep(stage, {
    description: describeNop(config, `WORKDIR ${workingDir}`),
    dependsOn: [],
    config,
    make: () =>
      changeFiles(stage, (root) =>
        stage.run.job.buildFiles.makeDirectory({ root, path: cleanPath(workingDir) }, ROOT),
      ),
  });
}

/** Declares the arguments before the first stage, each of which may use those before it. */
export function declareMetaArgs(run: Pick<BuildRun, 'args' | 'dockerfile'>): void {
  const { escape, metaArgs } = run.dockerfile;
  for (const { args } of metaArgs)
    for (const { name, value } of args) {
      const word = (text: string): string => expandWord(text, run.args.metaVariables(), { escape });
      run.args.declareMeta(word(name), value === undefined ? undefined : word(value));
    }
}
