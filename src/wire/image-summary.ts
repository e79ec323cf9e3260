import type { ImageDescriptor, ImageManifestSummary } from './image-manifest-summary.ts';

/** One element of the answer of `GET /images/json`. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Size: number;
  /** -1: not asked for. */
  readonly SharedSize: number;
  /** Until API 1.43. */
  readonly VirtualSize?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  /** -1: not asked for. */
  readonly Containers: number;
  /** What the image's latest name leads to; since API 1.48. */
  readonly Descriptor?: ImageDescriptor;
  /** Only where they were asked for. */
  readonly Manifests?: readonly ImageManifestSummary[];
}
