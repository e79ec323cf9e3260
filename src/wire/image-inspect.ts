import type { ContainerConfig } from './container-config.ts';
import type { ImageDescriptor, ImageManifestSummary } from './image-manifest-summary.ts';

/** The answer of `GET /images/{name}/json`. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  /** Until API 1.44. */
  readonly Container?: string;
  /** Until API 1.44. */
  readonly ContainerConfig?: ContainerConfig;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ContainerConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  readonly Size: number;
  /** Until API 1.43. */
  readonly VirtualSize?: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
  readonly RootFS: { readonly Type: string; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  /** What the image's latest name leads to; since API 1.48. */
  readonly Descriptor?: ImageDescriptor;
  /** Only where they were asked for. */
  readonly Manifests?: readonly ImageManifestSummary[];
}
