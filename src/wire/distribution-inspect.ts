/** The answer of `GET /distribution/{name}/json`. */
export interface DistributionInspect {
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
  readonly Platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant?: string;
  }[];
}
