import type { ContentDescriptor } from '../../oci/image-manifest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { Repository } from '../../registry/types.ts';
import type { Image } from '../../state/image-store.ts';
import type { BlobAccess } from './blob-access.ts';
import type { SelectedManifest } from './select-manifest.ts';

/** One pull under way, once the registry has named the image. */
export interface Pull {
  readonly reference: ImageReference;
  readonly platform: Platform;
  readonly isPlatformAsked: boolean;
  readonly repository: Repository;
  readonly access: BlobAccess;
  /** What the registry says that the reference names now. */
  readonly target: ContentDescriptor;
  /** False where it was known without asking the registry. */
  readonly isAsked: boolean;
  readonly traffic: PullTraffic;
}

/** What a pull has cost so far. */
export interface PullTraffic {
  /** Bytes of configurations and layers that came over the network. */
  networkBytes: number;
  /** Layers that the store had. */
  reusedLayers: number;
}

/** An image that a pull has found or made, and the documents it was named by. */
export interface PulledImage {
  readonly image: Image;
  readonly selected: SelectedManifest;
}
