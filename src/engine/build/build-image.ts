import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseStages } from '../../dockerfile/parse-stages.ts';
import { EngineError, isErrorKind, messageOf, ShapeError } from '../../errors.ts';
import { createCleanupStack, type CleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { familiarString, parseReference, recordName, withDefaultTag } from '../../oci/reference.ts';
import { admitBuild, type Admission } from '../../policy/privileged-gate.ts';
import type { Image } from '../../state/image-store.ts';
import type { BuildRequest } from '../../wire/build-request.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import { createImage } from '../images/create-image.ts';
import { emitImageEvent } from '../images/emit-image-event.ts';
import { keepImage, withImageWork, type ImageWork } from '../images/image-work.ts';
import { resolveImage } from '../images/resolve-image.ts';
import type { Job } from '../job.ts';
import { BuildArgs } from './build-args.ts';
import type { BuildProgress } from './build-progress.ts';
import type { BuildClient, BuildRun, BuiltImage, ContextSource, DeliverFiles } from './build-run.ts';
import { deliverResult } from './deliver-result.ts';
import type { NamedContexts } from './named-contexts.ts';
import { openContext, readDockerfile } from './open-context.ts';
import { planStages } from './plan-stages.ts';
import { trimCache } from './prune-cache.ts';
import { platformArgs } from './platform-args.ts';
import { ProgressLanes } from './progress-lanes.ts';
import { refuseFrontend } from './refuse-frontend.ts';
import { declareMetaArgs, runStage } from './run-stage.ts';
import { BUILDKIT } from './stage-run.ts';

/** A build as its client asks for it. */
export interface BuildAsked {
  readonly request: BuildRequest;
  readonly context: ContextSource;
  /** Text of the Dockerfile where it is not in the context. */
  readonly dockerfileText?: string;
  readonly client: BuildClient;
  /** Put in the place of stages and images that the Dockerfile names. */
  readonly contexts?: NamedContexts;
  /** Where the result goes, if it is not to become an image of the job. */
  readonly deliver?: DeliverFiles;
  /** Aborted when the client leaves: everything of the build is given up. */
  readonly signal: AbortSignal;
}

/** Lane of what belongs to no stage: before all of them, and after. */
const BEFORE_STAGES = -1;

/**
 * `docker build`: the gate, the context, then the stages that the target needs, those that do not depend on each other at
 * the same time. What is thrown before the first progress is the request's fault; leaving the iteration ends the build.
 */
export async function* buildImage(
  job: Job,
  asked: BuildAsked,
): AsyncGenerator<BuildProgress, void, undefined> {
  const { admitted, warnings } = admitBuild(
    asked.request,
    auditedGate(job, gateContextOf(job), { verb: 'build' }),
  );
  const names = [...new Set(admitted.tags.map(checkTag))];
  const leaving = new AbortController();
  const signal = AbortSignal.any([asked.signal, leaving.signal, job.signal]);
  const lanes = new ProgressLanes();
  const work = withImageWork({ job, report: () => undefined, signal }, (imageWork) =>
    buildUnderLease(job, { ...asked, admitted, warnings, names, lanes, work: imageWork, signal }),
  ).then(
    () => {
      lanes.end();
    },
    (error: unknown) => {
      lanes.end({ error });
    },
  );
  try {
    yield* lanes.read();
  } finally {
    leaving.abort();
    lanes.abandon();
    await work;
  }
}

interface Building extends BuildAsked, Admission<BuildRequest> {
  readonly names: readonly string[];
  readonly lanes: ProgressLanes;
  readonly work: ImageWork;
}

async function buildUnderLease(job: Job, building: Building): Promise<void> {
  const undo = createCleanupStack((step, error) => {
    job.log.error({ err: messageOf(error), step }, 'clean-up of a build failed');
  });
  try {
    const run = await prepareRun(job, building, undo);
    const built = await runStages(run);
    if (building.deliver) await deliverResult(run, built, building.deliver);
    else await keepResult(run, built, building);
  } finally {
    await undo.dispose();
    job.tasks.track(
      'build cache',
      job.buildCache.noteUses().then(() => trimCache(job)),
    );
  }
}

async function prepareRun(job: Job, building: Building, undo: CleanupStack): Promise<StartedRun> {
  const { admitted: request, work, lanes, client } = building;
  const loading = job.buildCache.load();
  // Until it is asked for below, which it is not where the context fails.
  loading.catch(() => undefined);
  const scratch = join(job.paths.stateDir, `build-${createRandomId()}`);
  await mkdir(scratch, { mode: 0o700 });
  undo.defer('directory', () => job.trees.remove(scratch));
  const context = await openContext(job, {
    source: building.context,
    scratch,
    signal: building.signal,
    undo,
  });
  await loading;
  const text =
    building.dockerfileText ??
    (await readDockerfile(job, context, { path: request.dockerfile, signal: building.signal }));
  const dockerfile = parseStages(text);
  refuseFrontend(dockerfile, request.buildArgs);
  const args = new BuildArgs(request.buildArgs, platformArgs(job, request.platform));
  declareMetaArgs({ args, dockerfile });
  const contexts: NamedContexts = building.contexts ?? new Map();
  const { target, labels } = request;
  const plan = planStages(dockerfile, args, { target, labels, contexts });
  const cacheSources = await findCacheSources(job, work, request.cacheFrom);
  const epochSeconds = readEpoch(request);
  const results = new Map<number, Promise<BuiltImage>>();
  const failing = new AbortController();
  const signal = AbortSignal.any([building.signal, failing.signal]);
  const run: StartedRun = {
    ...{ job, request, client, dockerfile, args, plan, lanes, context, scratch, undo },
    contexts,
    openedContexts: new Map(),
    ...{ cacheSources, epochSeconds, signal, results },
    warnings: building.warnings,
    work: { ...work, signal },
    abort: () => {
      failing.abort();
    },
    stageResult: (index) => resultOf(run, index),
  };
  return run;
}

interface StartedRun extends BuildRun {
  readonly results: Map<number, Promise<BuiltImage>>;
  readonly warnings: readonly string[];
  /** Ends what the stages do. */
  abort(): void;
}

// A trigger of a base image may name a stage that nothing else needs: it is begun when it is asked for.
function resultOf(run: StartedRun, index: number): Promise<BuiltImage> {
  const known = run.results.get(index);
  if (known) return known;
  const planned = run.plan.all.find((stage) => stage.index === index);
  if (!planned) throw new EngineError('InvalidArgument', `stage ${index} is not part of this build`);
  const result = runStage(run, planned);
  run.results.set(index, result);
  return result;
}

/** All stages at once: each waits for those that it is made from. The first failure is the build's. */
async function runStages(run: StartedRun): Promise<BuiltImage> {
  await announceStart(run);
  const { stages, target } = run.plan;
  const all = stages.map(({ index }) => run.stageResult(index));
  try {
    await Promise.all(all);
  } catch (error) {
    run.abort();
    // Those too that only a trigger asked for.
    await Promise.allSettled(run.results.values());
    throw error;
  }
  return run.stageResult(target.index);
}

async function announceStart(run: StartedRun): Promise<void> {
  const { dockerfile, lanes, plan, warnings } = run;
  const lane = lanes.open(BEFORE_STAGES);
  const note = (text: string): Promise<void> => lane.report({ kind: 'note', text, isWarning: true });
  for (const warning of dockerfile.warnings) await note(`[WARNING]: ${warning}\n`);
  for (const warning of warnings) await note(`[Warning] ${warning}\n`);
  for (const [index, { source }] of dockerfile.metaArgs.entries())
    await lane.report({
      kind: 'step',
      step: { number: index + 1, total: plan.totalSteps, stage: BEFORE_STAGES, source },
    });
  lane.close();
}

/** The image gets its place in the store and its names, all at once. */
async function keepResult(run: StartedRun, built: BuiltImage, { names }: Building): Promise<void> {
  const { job, work, lanes, plan, args } = run;
  if (built.id === '')
    throw new EngineError('InvalidArgument', 'No image was generated. Is your Dockerfile empty?');
  const image = job.images.get(built.id) ?? built.stored ?? (await storeImage(run, built));
  await job.images.lock.run('names', () =>
    job.images.put(
      image,
      names.map((name) => ({
        name: recordName(parseReference(name)),
        kind: 'tag' as const,
        imageId: image.id,
        target: image.manifest,
      })),
    ),
  );
  if (work.signal.aborted) throw new EngineError('Cancelled', 'Build cancelled');
  const lane = lanes.open(plan.target.index + 1);
  const unused = args.unused();
  // BuildKit, whose arguments steer more than ARG, says nothing of these.
  if (unused.length > 0 && run.request.version !== BUILDKIT)
    await lane.report({
      kind: 'note',
      text: `[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`,
      isWarning: true,
    });
  await lane.report({ kind: 'built', imageId: image.id });
  for (const name of names) {
    emitImageEvent(job, 'tag', { image, actorId: image.id, name });
    await lane.report({ kind: 'tagged', name });
  }
  lane.close();
}

function storeImage(run: BuildRun, { config, layers }: BuiltImage): Promise<Image> {
  return createImage(run.work, { config, layers, parentId: '' });
}

/** The whole name that a tag of a build stands for; InvalidArgument in dockerd's words. */
export function checkTag(tag: string): string {
  const reference = parseReference(tag);
  if (reference.digest !== undefined) throw new ShapeError('build tag cannot contain a digest');
  return familiarString(withDefaultTag(reference));
}

async function findCacheSources(
  job: Job,
  work: ImageWork,
  references: readonly string[],
): Promise<readonly Image[]> {
  const found: Image[] = [];
  for (const reference of references) {
    try {
      const image = resolveImage(job, reference);
      await keepImage(work, image);
      found.push(image);
    } catch (error) {
      // As dockerd: what is not there helps nothing, and harms nothing.
      if (!isErrorKind(error, 'NotFound') && !isErrorKind(error, 'InvalidArgument')) throw error;
    }
  }
  return found;
}

function readEpoch({ buildArgs }: BuildRequest): number | undefined {
  const text = buildArgs['SOURCE_DATE_EPOCH'] ?? '';
  if (text === '') return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new EngineError(
    'InvalidArgument',
    `invalid SOURCE_DATE_EPOCH: ${JSON.stringify(text.slice(0, 100))}`,
  );
}
