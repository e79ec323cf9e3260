import { ShapeError } from '../../errors.ts';
import type { Image } from '../../state/image-store.ts';
import type { ImageSummary } from '../../wire/image-summary.ts';
import { untilMoments } from '../filters.ts';
import type { Job } from '../job.ts';
import { repoNamesOf } from './image-names.ts';
import { checkReferencePattern, matchReference } from './match-reference.ts';
import { hasChildren } from './remove-image.ts';
import { resolveImage } from './resolve-image.ts';
import { describeTarget, summarizeManifests } from './summarize-manifests.ts';

/** What `docker images` asks for. */
export interface ListImagesOptions {
  /** Docker's filters: each name with its values. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** True: say how much of each image others have too. */
  readonly sharedSize: boolean;
  /** True: also images without a name that others were made from. */
  readonly all?: boolean;
}

/** Filters of `GET /images/json`. */
export const IMAGE_FILTERS: ReadonlySet<string> = new Set([
  'before',
  'dangling',
  'label',
  'reference',
  'since',
  'until',
]);
const NO_TIME = 0;

/** Images that pass all filters, newest first. */
export function listImages(job: Job, options: ListImagesOptions): readonly ImageSummary[] {
  const filter = createFilter(job, options);
  const referencePatterns = options.filters.get('reference') ?? [];
  for (const pattern of referencePatterns) checkReferencePattern(pattern);
  const uses = options.sharedSize ? countLayerUses(job) : undefined;
  return job.images
    .list()
    .filter(filter)
    .flatMap((image) => {
      const summary = summarize(job, image, uses);
      return referencePatterns.length === 0 ? [summary] : withMatchingNames(summary, referencePatterns);
    })
    .sort((a, b) => b.Created - a.Created);
}

/** The same, with all manifests that each image's name leads to. */
export function listImagesWithManifests(
  job: Job,
  options: ListImagesOptions,
): Promise<readonly ImageSummary[]> {
  return Promise.all(
    listImages(job, options).map(async (summary) => {
      const image = job.images.get(summary.Id);
      return image ? { ...summary, Manifests: await summarizeManifests(job, image) } : summary;
    }),
  );
}

function summarize(job: Job, image: Image, uses: ReadonlyMap<string, number> | undefined): ImageSummary {
  const { repoTags, repoDigests } = repoNamesOf(job, image);
  const labels = image.config.config.labels;
  return {
    Id: image.id,
    ParentId: image.parentId,
    RepoTags: repoTags,
    RepoDigests: repoDigests,
    Created: Math.floor(createdMs(image) / 1000),
    Size: image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    SharedSize: uses ? sharedSize(image, uses) : -1,
    Labels: Object.keys(labels).length > 0 ? labels : null,
    Containers: -1,
    Descriptor: describeTarget(job, image),
  };
}

function withMatchingNames(summary: ImageSummary, patterns: readonly string[]): readonly ImageSummary[] {
  const matches = (name: string): boolean => patterns.some((pattern) => matchReference(pattern, name));
  const RepoTags = summary.RepoTags.filter(matches);
  const RepoDigests = summary.RepoDigests.filter(matches);
  return RepoTags.length + RepoDigests.length > 0 ? [{ ...summary, RepoTags, RepoDigests }] : [];
}

function countLayerUses(job: Job): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  for (const image of job.images.list())
    for (const { chainId } of image.layers) uses.set(chainId, (uses.get(chainId) ?? 0) + 1);
  return uses;
}

function sharedSize(image: Image, uses: ReadonlyMap<string, number>): number {
  return image.layers
    .filter(({ chainId }) => (uses.get(chainId) ?? 0) > 1)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Throws for filters that `GET /images/json` refuses whatever the job has. */
export function checkImageFilters(filters: ListImagesOptions['filters'], nowNs: bigint): void {
  checkNames(filters);
  untilMoments(filters, nowNs);
  parseDangling(filters.get('dangling') ?? []);
  for (const pattern of filters.get('reference') ?? []) checkReferencePattern(pattern);
}

function checkNames(filters: ListImagesOptions['filters']): void {
  for (const name of filters.keys())
    if (!IMAGE_FILTERS.has(name)) throw new ShapeError(`invalid filter '${name.slice(0, 100)}'`);
}

function createFilter(job: Job, { filters, all = false }: ListImagesOptions): (image: Image) => boolean {
  checkNames(filters);
  const before = (filters.get('before') ?? []).map((ref) => createdMs(resolveImage(job, ref)));
  const since = (filters.get('since') ?? []).map((ref) => createdMs(resolveImage(job, ref)));
  const until = untilMoments(filters, job.nowNs()).map((ns) => Number(ns / 1_000_000n));
  const dangling = parseDangling(filters.get('dangling') ?? []);
  const labels = filters.get('label') ?? [];
  return (image) =>
    [...before, ...until].every((time) => createdMs(image) < time) &&
    since.every((time) => createdMs(image) > time) &&
    labels.every((label) => hasLabel(image, label)) &&
    passesDangling(job, image, dangling) &&
    (all || job.images.namesOf(image.id).length > 0 || !hasChildren(job, image));
}

function passesDangling(job: Job, image: Image, dangling: boolean | undefined): boolean {
  if (dangling === undefined) return true;
  const names = job.images.namesOf(image.id);
  return dangling ? names.every(({ kind }) => kind !== 'tag') : names.length > 0;
}

function parseDangling(values: readonly string[]): boolean | undefined {
  const [value] = values;
  if (value === undefined) return undefined;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new ShapeError(`invalid filter 'dangling=[${values.join(' ').slice(0, 100)}]'`);
}

function hasLabel(image: Image, label: string): boolean {
  const { labels } = image.config.config;
  const equals = label.indexOf('=');
  if (equals === -1) return Object.hasOwn(labels, label);
  const name = label.slice(0, equals);
  return Object.hasOwn(labels, name) && labels[name] === label.slice(equals + 1);
}

function createdMs(image: Image): number {
  const ms = Date.parse(image.config.created);
  return Number.isNaN(ms) ? NO_TIME : ms;
}
