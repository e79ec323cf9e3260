import type { ImageRunConfig } from '../../oci/image-config.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import type { ImageLayer } from '../../state/image-store.ts';
import { EngineError } from '../../errors.ts';
import type { StageArgs } from './build-args.ts';
import { cacheKeyOf, chainIdOf, withStep } from './built-image.ts';
import type { BuildRun, BuiltImage } from './build-run.ts';
import { findInSources } from './cache-sources.ts';
import { claimFound, claimLayers } from './claim-layers.ts';
import { keepStep } from './keep-step.ts';
import type { ReportProgress } from './progress-lanes.ts';

/** The version of builds that BuildKit would carry out. */
export const BUILDKIT = '2';
const NS_PER_SECOND = 1_000_000_000n;

/** A stage on its way: what its instructions have come to so far. */
export interface StageRun {
  readonly run: BuildRun;
  readonly index: number;
  readonly report: ReportProgress;
  readonly args: StageArgs;
  image: BuiltImage;
  /** What the next step is made with: the image's, and what is not in an image yet. */
  config: ImageRunConfig;
  author: string;
  /** True once this stage has a CMD of its own. */
  isCmdSet: boolean;
  /** Cached layers that nothing keeps yet for this build, lowest first. */
  readonly unclaimed: ImageLayer[];
  /** Whether each cached layer is claimed as it is found. */
  readonly claimsAtOnce: boolean;
}

/** A step that is to be carried out unless its result is known. */
export interface PlannedStep {
  /** As history shows it. */
  readonly description: string;
  /** What besides the description and the earlier steps its result depends on. */
  readonly dependsOn: readonly string[];
  readonly config: ImageRunConfig;
  /** Makes the layer; undefined where no file changes. */
  readonly make: () => Promise<ImageLayer | undefined>;
}

/** Carries a step out, or takes its result from the cache. */
export async function commitStep(stage: StageRun, step: PlannedStep): Promise<void> {
  const { run, image } = stage;
  if (run.signal.aborted) throw new EngineError('Cancelled', 'Build cancelled');
  const cacheKey = cacheKeyOf(image.cacheKey, [
    step.description,
    stage.author,
    ...step.dependsOn,
    ...(run.epochSeconds === undefined ? [] : [`dated ${run.epochSeconds}`]),
  ]);
  const known = run.request.noCache ? undefined : await findKnown(stage, step, cacheKey);
  if (!known) await claimFound(stage);
  const layer = known ? known.layer : await step.make();
  const createdAt = known?.createdAt ?? timeOf(run);
  const { description, config } = step;
  if (known) await stage.report({ kind: 'cached' });
  else
    await keepStep(run.work, {
      key: cacheKey,
      parentChainId: chainIdOf(image),
      description,
      createdAt,
      layer,
    });
  stage.image = withStep(image, { config, author: stage.author, description, createdAt, layer, cacheKey });
  stage.config = config;
}

async function findKnown(
  stage: StageRun,
  { description }: PlannedStep,
  cacheKey: string,
): Promise<{ readonly createdAt: string; readonly layer: ImageLayer | undefined } | undefined> {
  const { run, image } = stage;
  const own = hasOwnCache(run) ? run.job.buildCache.find(cacheKey, chainIdOf(image)) : undefined;
  // The build keeps the images of `--cache-from`.
  if (!own) return findInSources(run, image, description);
  if (!own.layer) return own;
  if (!stage.claimsAtOnce) stage.unclaimed.push(own.layer);
  else if (!(await claimLayers(run.work, [own.layer]))) {
    await run.job.buildCache.remove(cacheKey);
    return undefined;
  }
  return own;
}

// The classic builder asks the images of --cache-from and nothing else, also where none of them is there.
function hasOwnCache({ request: { cacheFrom, version } }: BuildRun): boolean {
  return version === BUILDKIT || cacheFrom.length === 0;
}

/** What a result made now is dated with. */
function timeOf({ job, epochSeconds }: BuildRun): string {
  return formatTimeNs(epochSeconds === undefined ? job.nowNs() : BigInt(epochSeconds) * NS_PER_SECOND);
}
