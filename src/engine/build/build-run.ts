import type { Socket } from 'node:net';
import type { Mount } from '../../containerd/types.ts';
import type { Dockerfile } from '../../dockerfile/types.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { Admitted } from '../../policy/admitted.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Image, ImageLayer } from '../../state/image-store.ts';
import type { BuildRequest } from '../../wire/build-request.ts';
import type { ImageWork } from '../images/image-work.ts';
import type { Job } from '../job.ts';
import type { BuildArgs } from './build-args.ts';
import type { NamedContexts } from './named-contexts.ts';
import type { StagePlan } from './plan-stages.ts';
import type { ProgressLanes } from './progress-lanes.ts';

/** Where the files of a build come from. */
export interface ContextSource {
  /** Puts them into a directory that is empty, and contained in itself; fails with the signal. */
  fill(target: { readonly root: RootHandle; readonly path: string }, signal: AbortSignal): Promise<void>;
}

/** Takes the files that a build has come to, in place of an image of the job. */
export type DeliverFiles = (mounts: readonly Mount[], signal: AbortSignal) => Promise<void>;

/** What the client of a build lends to it. */
export interface BuildClient {
  /** What a client sent for a registry, or undefined. */
  readonly credentialsFor: (domain: string) => Promise<RegistryCredentials | undefined>;
  /** A secret's bytes, or undefined where the client has none of that id. */
  readonly readSecret: (id: string) => Promise<Uint8Array | undefined>;
  /** What joins a connection with the client's SSH agent of that name, or undefined where it lends none. */
  readonly findAgent: (id: string) => Promise<((connection: Socket) => void) | undefined>;
}

/** What everything in one build shares. */
export interface BuildRun {
  readonly job: Job;
  readonly request: Admitted<BuildRequest>;
  readonly client: BuildClient;
  readonly dockerfile: Dockerfile;
  readonly args: BuildArgs;
  readonly plan: StagePlan;
  readonly work: ImageWork;
  readonly lanes: ProgressLanes;
  readonly context: RootHandle;
  readonly contexts: NamedContexts;
  /** Of the named contexts those that were needed so far. */
  readonly openedContexts: Map<ContextSource, Promise<RootHandle>>;
  /** Images of `--cache-from` that the job has. */
  readonly cacheSources: readonly Image[];
  /** A directory of the host that is the build's own. */
  readonly scratch: string;
  /** Undone when the build is over. */
  readonly undo: CleanupStack;
  /** The time that results are dated with, if they are to be alike: seconds since 1970. */
  readonly epochSeconds: number | undefined;
  /** The result of an earlier stage, once it is there. */
  readonly stageResult: (index: number) => Promise<BuiltImage>;
  /** Aborted when the client leaves, the job ends or another stage fails. */
  readonly signal: AbortSignal;
}

/** What a stage has come to so far: an image that is nowhere but here. */
export interface BuiltImage {
  /** Digest of its configuration; empty for nothing at all. */
  readonly id: string;
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  /** Digest of all that led here, for the cache. */
  readonly cacheKey: string;
  /** The same with its documents in the store, kept by the build's lease; absent where they are not written yet. */
  readonly stored?: Image;
}
