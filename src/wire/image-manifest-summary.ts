/** What a descriptor says, as the Engine API shows it. */
export interface ImageDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: ManifestPlatform;
}

/** A platform in OCI's spelling. */
export interface ManifestPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
}

/** One manifest of an image, where they are asked for (API 1.47). */
export interface ImageManifestSummary {
  readonly ID: string;
  readonly Descriptor: ImageDescriptor;
  /** Whether all of its content is here. */
  readonly Available: boolean;
  /** Bytes. */
  readonly Size: { readonly Content: number; readonly Total: number };
  readonly Kind: 'image' | 'attestation' | 'unknown';
  readonly ImageData?: {
    readonly Platform: ManifestPlatform;
    /** Ids of containers. */
    readonly Containers: readonly string[];
    readonly Size: { readonly Unpacked: number };
  };
  readonly AttestationData?: { readonly For: string };
}
