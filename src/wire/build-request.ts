import type { CreateRequest } from './create-request.ts';

/** What `POST /build` asks for, its query decoded; the context is its body. */
export interface BuildRequest {
  /** Path of the Dockerfile in the context. */
  readonly dockerfile: string;
  /** A context that the daemon would fetch by itself. */
  readonly remote: string;
  readonly tags: readonly string[];
  /** A null stands for a name without a value. */
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string;
  readonly cacheFrom: readonly string[];
  readonly noCache: boolean;
  readonly pull: boolean;
  /** Intermediate containers go after a step that succeeded. */
  readonly remove: boolean;
  /** They go after a step that failed, too. */
  readonly forceRemove: boolean;
  readonly squash: boolean;
  readonly platform: string;
  /** `1` is the classic builder, `2` BuildKit. */
  readonly version: string;
  /** Where BuildKit would put the result. */
  readonly outputs: string;
  /** Rights beyond a step's ordinary ones. */
  readonly entitlements: readonly string[];
  /** The container that each step runs in, but for its image and command: network, limits, hosts. */
  readonly container: CreateRequest;
}
