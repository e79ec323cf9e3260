import { EngineError, messageOf } from '../../errors.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { parsePlatform } from '../../oci/platform.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Image } from '../../state/image-store.ts';
import { hostPlatform } from '../images/host-platform.ts';
import { keepImage } from '../images/image-work.ts';
import { pullImage } from '../images/pull-image.ts';
import { parsePullReference } from '../images/pull-reference.ts';
import { openForPlatform } from '../images/open-variant.ts';
import { resolveImage } from '../images/resolve-image.ts';
import { parseReference } from '../../oci/reference.ts';
import { isErrorKind } from '../../errors.ts';
import type { BuildRun, BuiltImage } from './build-run.ts';
import { chainIdOf, emptyImage, fromImage } from './built-image.ts';
import { findContext, openNamedFiles } from './named-contexts.ts';
import { findStage, type PlannedStage } from './plan-stages.ts';
import type { ReportProgress } from './progress-lanes.ts';

/** What a stage begins with: an earlier stage, an image, or nothing. */
export async function openBase(
  run: BuildRun,
  planned: PlannedStage,
  report: ReportProgress,
): Promise<BuiltImage> {
  if (planned.baseStage !== undefined) return run.stageResult(planned.baseStage);
  const platform = planned.platform || run.request.platform;
  if (planned.base === 'scratch')
    return emptyImage(parsePlatform(platform || 'linux', hostPlatform(run.job)));
  const context = findContext(run.contexts, planned.base);
  if (context?.kind === 'files')
    throw new EngineError(
      'NotImplemented',
      `the named context ${planned.base} is a directory, which no stage can begin with: use COPY --from=${planned.base}`,
    );
  const reference = context?.reference ?? planned.base;
  return fromImage(await openImage(run, { reference, platform }, report));
}

/** Opens the files of an earlier stage or an image to be looked at, for `COPY --from` and mounts. The caller closes it. */
export async function openSource(
  run: BuildRun,
  source: { readonly from: string; readonly stage: number },
  report: ReportProgress,
): Promise<{ readonly root: RootHandle; close(): Promise<void> }> {
  const context = findContext(run.contexts, source.from);
  if (context?.kind === 'files')
    return { root: await openNamedFiles(run, context.source), close: () => Promise.resolve() };
  const index = context ? undefined : findStage(run.dockerfile.stages, source.from, source.stage);
  const reference = context?.reference ?? source.from;
  const image =
    index === undefined
      ? fromImage(await openImage(run, { reference, platform: run.request.platform }, report))
      : await run.stageResult(index);
  const snapshots = run.work.store.snapshots;
  const key = `build-${createRandomId()}`;
  const mounts = await snapshots.prepare({ key, parent: chainIdOf(image) });
  const remove = (): Promise<void> =>
    snapshots.remove(key).catch((error: unknown) => {
      run.job.log.warn({ err: messageOf(error) }, 'snapshot of a build source not removed');
    });
  try {
    const root = await run.job.rootfs.openMounts(mounts, { isOwn: true });
    return {
      root,
      async close() {
        await root.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The job's image, pulled where it does not have it or where the client wants it so. */
async function openImage(
  run: BuildRun,
  wanted: { readonly reference: string; readonly platform: string },
  report: ReportProgress,
): Promise<Image> {
  const own = run.request.pull && !isId(wanted.reference) ? undefined : await findOwn(run, wanted);
  if (!own) await pull(run, wanted, report);
  const image = own ?? resolveImage(run.job, wanted.reference, wanted.platform);
  await keepImage(run.work, image);
  return image;
}

async function findOwn(
  { job }: BuildRun,
  { reference, platform }: { readonly reference: string; readonly platform: string },
): Promise<Image | undefined> {
  try {
    return await openForPlatform(job, reference, platform);
  } catch (error) {
    if (isErrorKind(error, 'NotFound')) return undefined;
    throw error;
  }
}

function isId(reference: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{12,64}$/.test(reference);
}

async function pull(
  run: BuildRun,
  { reference, platform }: { readonly reference: string; readonly platform: string },
  report: ReportProgress,
): Promise<void> {
  if (reference.startsWith('sha256:')) throw new EngineError('NotFound', `No such image: ${reference}`);
  const parsed = parseReference(reference);
  const credentials = await run.client.credentialsFor(parsed.domain);
  // Not waited for: a registry's connection must not stand still because a client reads slowly.
  await pullImage(run.job, {
    reference: parsePullReference(reference, ''),
    platform,
    ...(credentials ? { credentials } : {}),
    report: (progress) => void report({ kind: 'pull', progress }),
    signal: run.signal,
  });
}
