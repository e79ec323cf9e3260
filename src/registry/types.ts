import type { ImageReference } from '../oci/reference.ts';

/** Credentials that a client sent for one registry; kept for one operation, never logged, never sent to another host. */
export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  /** A refresh token from an earlier login; takes the place of a password. */
  readonly identityToken: string;
  /** A ready bearer token. */
  readonly registryToken: string;
}

/** What a blob or manifest is known by. */
export interface RegistryDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest or index, its bytes checked against its digest. */
export interface FetchedManifest extends RegistryDescriptor {
  readonly bytes: Uint8Array;
}

/** On whose behalf a repository is opened, and until when. */
export interface RepositoryAccess {
  readonly reference: Pick<ImageReference, 'domain' | 'path'>;
  /** The repository as users see it, for messages. */
  readonly familiarName: string;
  readonly credentials?: RegistryCredentials;
  readonly signal: AbortSignal;
}

/** One repository of one registry, with its mirrors; tokens live as long as this object. */
export interface Repository {
  /** What a tag or digest names now, without fetching it; NotFound in dockerd's words. */
  resolve(tagOrDigest: string): Promise<RegistryDescriptor>;
  /** The manifest or index itself, at most 4 MiB. */
  fetchManifest(tagOrDigest: string): Promise<FetchedManifest>;
  /**
   * Streams a blob from an offset. The stream throws when it is longer or shorter than the descriptor says, and
   * when it starts at 0 and its digest differs; broken transfers are taken up again where they broke.
   */
  fetchBlob(blob: RegistryDescriptor, offset?: number): AsyncIterable<Uint8Array>;
  /** True when the repository says that it has this blob for whoever asks with our credentials. */
  hasBlob(blob: RegistryDescriptor): Promise<boolean>;
  /** True while everything was answered without credentials: anybody may have it. */
  isAnonymous(): boolean;
}

/** Registries as the operator has set them up. */
export interface Registry {
  /** Prepares access to a repository; nothing is sent yet. */
  open(access: RepositoryAccess): Repository;
  /** False for a registry that a job could play itself: one on the host's loopback device, where jobs can listen there. */
  isIdentified(domain: string): boolean;
}
