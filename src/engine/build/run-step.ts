import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { heredocText, readHeredoc } from '../../dockerfile/heredocs.ts';
import type { Instruction } from '../../dockerfile/types.ts';
import { EngineError, messageOf } from '../../errors.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { Container } from '../../state/container.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import { createContainer } from '../containers/create-container.ts';
import { mountPointsOf } from '../containers/mount-points.ts';
import { openSession } from '../containers/open-session.ts';
import { removeContainer } from '../containers/remove-container.ts';
import { startContainer } from '../containers/start-container.ts';
import { updateRecord } from '../containers/update-record.ts';
import { createLayer } from '../images/create-layer.ts';
import { chainIdOf } from './built-image.ts';
import { commandOf } from './change-config.ts';
import { topLayer } from './change-files.ts';
import { refuseEntitlements } from './refuse-frontend.ts';
import type { PreparedMounts } from './prepared-mounts.ts';
import { planRunMounts, type RunMounts } from './run-mounts.ts';
import { commitStep, type StageRun } from './stage-run.ts';
import { StepFailure } from './step-failure.ts';

type RunInstruction = Instruction & { readonly kind: 'RUN' };

/** RUN: a container of the job on what the stage has come to; what it changed becomes a layer. */
export async function runStep(stage: StageRun, instruction: RunInstruction): Promise<void> {
  refuseEntitlements(instruction);
  const { argv, script } = readCommand(stage, instruction);
  const mounts = await planRunMounts(stage, instruction.mounts);
  const { config, args } = stage;
  const step: Step = { argv, script, network: instruction.network, mounts };
  await commitStep(stage, {
    description: args.describe(config.env, argv).join(' '),
    dependsOn: [
      ...config.env,
      config.user,
      config.workingDir,
      instruction.network,
      script ?? '',
      ...mounts.dependsOn,
    ],
    config,
    make: () => runInContainer(stage, step),
  });
}

interface Step {
  readonly argv: readonly string[];
  /** Text of a program of its own, in place of the shell's command. */
  readonly script: string | undefined;
  readonly network: string;
  readonly mounts: RunMounts;
}

const SCRIPT_DIRECTORY = '/dev/pipes/';

/** The program of a RUN; a heredoc alone is a script for the shell, or, with `#!`, one of its own. */
function readCommand(
  stage: StageRun,
  instruction: RunInstruction,
): { readonly argv: readonly string[]; readonly script: string | undefined } {
  const { heredocs, words } = instruction;
  const [line = ''] = words;
  const [first] = heredocs;
  if (!first) return { argv: commandOf(stage.config, instruction), script: undefined };
  const shell = (text: string): readonly string[] =>
    commandOf(stage.config, { ...instruction, words: [text] });
  if (!readHeredoc(line)) {
    const texts = heredocs.map(({ name, content }) => `\n${content}${name}`);
    return { argv: shell(line + texts.join('')), script: undefined };
  }
  const text = heredocText(first);
  return text.startsWith('#!')
    ? { argv: shell(SCRIPT_DIRECTORY + first.name), script: text }
    : { argv: shell(text), script: undefined };
}

async function runInContainer(stage: StageRun, step: Step): Promise<ImageLayer | undefined> {
  const { run } = stage;
  const undo = createCleanupStack((name, error) => {
    run.job.log.error({ err: messageOf(error), step: name }, 'clean-up of a build step failed');
  });
  try {
    const prepared = await step.mounts.prepare(undo);
    const script = step.script === undefined ? [] : await prepareScript(stage, step, undo);
    const mounts = [...prepared.mounts, ...script];
    const container = await makeContainer(stage, step, { ...prepared, mounts });
    return await runAndKeep(stage, step, container);
  } finally {
    await undo.dispose();
  }
}

async function prepareScript(
  { run }: StageRun,
  { argv, script }: Step,
  undo: CleanupStack,
): Promise<PreparedMounts['mounts']> {
  const hostPath = join(run.scratch, `script-${createRandomId()}`);
  await writeFile(hostPath, script ?? '', { mode: 0o755, flag: 'wx' });
  undo.defer('script', () => rm(hostPath, { force: true }));
  return [
    {
      type: 'bind',
      name: '',
      shownSource: '',
      hostPath,
      destination: argv.at(-1) ?? SCRIPT_DIRECTORY,
      isReadWrite: false,
      mode: '',
      propagation: 'rprivate',
      isAnonymous: false,
    },
  ];
}

async function makeContainer(stage: StageRun, step: Step, prepared: PreparedMounts): Promise<Container> {
  const { run, image, config } = stage;
  const { job } = run;
  const { id } = await createContainer(job, {
    name: '',
    platform: '',
    warnings: [],
    isHidden: true,
    extraMounts: prepared.mounts,
    request: requestFor(stage, step, prepared),
    image: {
      id: image.id,
      manifest: { mediaType: '', digest: '', size: 0 },
      config: { ...image.config, config },
      layers: image.layers,
      chainId: chainIdOf(image),
      parentId: '',
    },
  });
  const container = job.containers.get(id);
  if (!container) throw new EngineError('Internal', 'the container of a build step is not there');
  return container;
}

/** What the client asked for all steps, with the program of this one: no entrypoint, no health check. */
function requestFor(stage: StageRun, { argv, network }: Step, prepared: PreparedMounts): CreateRequest {
  const { config, hostConfig, networkingConfig } = stage.run.request.container;
  return {
    networkingConfig,
    config: {
      ...config,
      Cmd: argv,
      Entrypoint: [''],
      Env: [...stage.config.env, ...stage.args.visible(stage.config.env), ...prepared.env],
      Healthcheck: { Test: ['NONE'] },
    },
    hostConfig: {
      ...hostConfig,
      ...(network === 'none' ? { NetworkMode: 'none' } : {}),
      ...(prepared.tmpfs.length > 0 ? { Mounts: prepared.tmpfs } : {}),
    },
  };
}

/** The container goes when it has done its work, unless the client wants to look at it: one that failed stays by default. */
async function runAndKeep(
  stage: StageRun,
  step: Step,
  container: Container,
): Promise<ImageLayer | undefined> {
  const { run, report } = stage;
  const { remove, forceRemove } = run.request;
  const state = { isKept: false };
  try {
    await report({ kind: 'running', containerId: container.id });
    const exitCode = await runToEnd(stage, container);
    state.isKept = !forceRemove && (exitCode !== 0 || !remove);
    if (exitCode !== 0) throw new StepFailure(step.argv, exitCode);
    // The places of volumes stay, as in dockerd, where those of berth's own mounts go.
    const { volumes } = stage.config;
    const mountPoints = new Set([...mountPointsOf(container)].filter((path) => !volumes.includes(path)));
    const source = { mounts: container.rootMounts, mountPoints, latestSeconds: run.epochSeconds };
    return await topLayer(run, stage.image.layers, await createLayer(run.work, source));
  } finally {
    if (state.isKept) await updateRecord(run.job, container, { isHidden: false });
    else await discard(stage, container);
  }
}

async function discard({ run, report }: StageRun, container: Container): Promise<void> {
  await removeContainer(run.job, container, { force: true, removeVolumes: true });
  if (!run.signal.aborted) await report({ kind: 'removed', containerId: container.id });
}

async function runToEnd({ run, report }: StageRun, container: Container): Promise<number> {
  const session = await openSession(run.job, container);
  session.io.addSink({
    // The data is not ours to keep: it is used again when this resolves.
    write: ({ stream, data }) => report({ kind: 'output', stream, data: Buffer.from(data) }),
    end: () => undefined,
  });
  const { promise: exit } = container.nextExit;
  const stop = new Promise<never>((_, reject) => {
    const abort = (): void => {
      reject(new EngineError('Cancelled', 'Build cancelled'));
    };
    if (run.signal.aborted) abort();
    else run.signal.addEventListener('abort', abort, { once: true });
  });
  stop.catch(() => undefined);
  await startContainer(run.job, container);
  const { exitCode, error } = await Promise.race([exit, stop]);
  if (error !== '') throw new EngineError('Internal', error);
  return exitCode;
}
