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
  /** All tags, at most 1000; what could not be one is left out. */
  listTags(): Promise<readonly string[]>;
  /** The manifest or index itself, at most 4 MiB. */
  fetchManifest(tagOrDigest: string): Promise<FetchedManifest>;
  /**
   * Streams a blob. The stream throws when it is longer or shorter than the descriptor says, or its digest differs;
   * broken transfers are taken up again where they broke.
   */
  fetchBlob(blob: RegistryDescriptor): AsyncIterable<Uint8Array>;
  /** The same from an offset and without a look at the digest, for a reader that computes it anyway. */
  fetchUnverified(blob: RegistryDescriptor, offset: number): AsyncIterable<Uint8Array>;
  /** True when the repository says that it has this blob for whoever asks with our credentials. */
  hasBlob(blob: RegistryDescriptor): Promise<boolean>;
  /** True while everything was answered without credentials: anybody may have it. */
  isAnonymous(): boolean;
}

/** Access to a repository that is pushed to. */
export interface PushAccess extends RepositoryAccess {
  /** Paths of other repositories of the same registry that blobs may be mounted from. */
  readonly mountFrom: readonly string[];
}

/** A blob to be pushed: its bytes can be read again when a transfer breaks. */
export interface PushBlob extends RegistryDescriptor {
  /** A repository of the same registry that has the blob, as far as we know. */
  readonly mountFrom: string | undefined;
  open(): AsyncIterable<Uint8Array>;
}

/** One repository that is pushed to; broken transfers are begun again. */
export interface PushRepository {
  hasBlob(digest: string): Promise<boolean>;
  /** `mounted` where the registry took the blob from the other repository. */
  pushBlob(blob: PushBlob): Promise<'mounted' | 'uploaded'>;
  /** Stores the manifest under the tag. */
  pushManifest(tag: string, manifest: FetchedManifest): Promise<void>;
}

/** Credentials to be tried at a registry. */
export interface RegistryLogin {
  /** Host with its port, `docker.io` for Docker Hub. */
  readonly domain: string;
  readonly credentials: RegistryCredentials;
  readonly signal: AbortSignal;
}

/** Registries as the operator has set them up. */
export interface Registry {
  /** Prepares access to a repository; nothing is sent yet. */
  open(access: RepositoryAccess): Repository;
  /** False for a registry that a job could play itself: one on the host's loopback device, where jobs can listen there. */
  isIdentified(domain: string): boolean;
  /** Prepares pushing to a repository, at the registry itself and never at a mirror; nothing is sent yet. */
  openForPush(access: PushAccess): PushRepository;
  /** Resolves when the registry lets the credentials in; Unauthenticated in its words when it does not. */
  login(login: RegistryLogin): Promise<void>;
}
