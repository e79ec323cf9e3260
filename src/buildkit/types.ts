import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { EngineError } from '../errors.ts';
import type { CallMetadata, StreamingCall } from './session-calls.ts';

/** Which files of a client's directory are wanted; patterns as in `.dockerignore`. */
export interface FileSelection {
  /** The client's name for the directory: `context` or `dockerfile`, for what buildx sends. */
  readonly directory: string;
  /** Only these, where there are any. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A file of a tree. */
export interface TreeFile {
  /** Relative to the top. */
  readonly path: string;
  readonly type: 'directory' | 'file' | 'symlink' | 'fifo' | 'character-device' | 'block-device';
  /** Permissions with the set-id and sticky bits, as the system has them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeNs: number;
  /** Empty for what is no symbolic link. */
  readonly linkTarget: string;
  readonly major: number;
  readonly minor: number;
}

/** Files that are given to a client. */
export interface FileTree {
  readonly files: AsyncIterable<TreeFile>;
  /** The bytes of one of its files. */
  open(path: string): Promise<AsyncIterable<Uint8Array>>;
}

/** A client's login for a registry. */
export interface SessionCredentials {
  readonly username: string;
  readonly secret: string;
}

/** What a client offers while it builds, over the connection that it opened by `POST /session`. */
export interface BuildSession {
  readonly id: string;
  /** The files as a tar archive, in the order of their names; an error of the client, or its leaving, fails the stream. */
  openFiles(selection: FileSelection, signal: AbortSignal): Readable;
  /** What the client uploads, by the path that it has named; an error of the client fails the stream. */
  openUpload(path: string, signal: AbortSignal): Readable;
  /**
   * The first of these files that the client has, if it is not empty; InvalidArgument for one of more than a MiB.
   * Names have no wildcards.
   */
  readFile(
    directory: string,
    paths: readonly string[],
  ): Promise<{ readonly path: string; readonly bytes: Uint8Array } | undefined>;
  /** Gives the client files, where it has asked for a build's result as a directory; resolves when it has them all. */
  sendFiles(tree: FileTree, signal: AbortSignal): Promise<void>;
  /** Gives the client an archive, where it has asked for the result as one; resolves when it has it all. */
  sendArchive(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Undefined where the client has no login for the host. */
  findCredentials(host: string): Promise<SessionCredentials | undefined>;
  /** NotFound where the client has no such secret. */
  readSecret(id: string): Promise<Uint8Array>;
  /** Whether the client lends an SSH agent of this name. */
  hasAgent(id: string): Promise<boolean>;
  /** Joins a connection with that agent; it is closed where the agent is gone. */
  joinAgent(id: string, connection: Socket): void;
  /** Full paths of the methods that the client serves. */
  readonly methods: ReadonlySet<string>;
  /** Calls one of them with messages as they are; NotFound for any other. */
  openRaw(path: string, metadata: CallMetadata): StreamingCall<Uint8Array, Uint8Array>;
}

/** One build as BuildKit's clients ask for it. */
export interface SolveRequest {
  /** The client's name for the build. */
  readonly ref: string;
  readonly frontend: string;
  /** `filename`, `target`, `build-arg:NAME`, `label:NAME`, … */
  readonly options: Readonly<Record<string, string>>;
  readonly exporter: string;
  readonly exporterOptions: Readonly<Record<string, string>>;
  readonly entitlements: readonly string[];
  /** Aborted when the client gives up. */
  readonly signal: AbortSignal;
  readonly session: BuildSession;
}

/** A step of a build as clients show it; times in milliseconds since the epoch. */
export interface SolveStep {
  readonly digest: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly isCached: boolean;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly error: string;
}

/** What a build tells while it runs. */
export type SolveProgress =
  | { readonly kind: 'step'; readonly step: SolveStep }
  | { readonly kind: 'log'; readonly digest: string; readonly isError: boolean; readonly bytes: Uint8Array };

/** Carries out builds. */
export interface Solver {
  /** What `--add-host NAME:host-gateway` of a client stands for; undefined where steps do not run in the job's network. */
  readonly hostGateway: string | undefined;
  /** Answers what the exporter has to say (`containerimage.digest`, …). */
  solve(request: SolveRequest, report: ReportSolve): Promise<Readonly<Record<string, string>>>;
  /** What builds have kept, of which one of the filters says true; all without any. InvalidArgument for a bad one. */
  listUsage(filters: readonly string[]): Promise<readonly UsageEntry[]>;
  /** Frees what builds have kept, and answers it. */
  prune(asked: PruneAsked): Promise<readonly UsageEntry[]>;
  /** Is told of each request on the connection that was answered with an error of ours. */
  onRefused(error: EngineError): void;
}

/** Takes what a build tells, at the pace of who follows it. */
export type ReportSolve = (progress: SolveProgress) => Promise<void>;

/** What of the kept is to be freed. */
export interface PruneAsked {
  /** In containerd's words (`type==regular,inuse`): all parts of one hold, of one of them. */
  readonly filters: readonly string[];
  /** Also what images have, too. */
  readonly all: boolean;
  /** What was used within this time stays; 0: nothing by its age. */
  readonly keepMs: number;
  /** Bytes of what was used last that stay; 0: none. */
  readonly keepBytes: number;
}

/** Something that builds have kept. */
export interface UsageEntry {
  readonly id: string;
  /** `regular`, or `exec.cachemount`. */
  readonly type: string;
  readonly description: string;
  readonly isInUse: boolean;
  readonly isShared: boolean;
  readonly sizeBytes: number;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339. */
  readonly lastUsedAt: string;
  readonly uses: number;
}

/** How a client introduced itself with `POST /session`. */
export interface SessionOffer {
  readonly id: string;
  /** Full names of the gRPC methods it serves. */
  readonly methods: readonly string[];
}

/** BuildKit's door: both kinds of connections that its clients open. */
export interface BuildkitFront {
  /** Serves BuildKit's control API on a connection; resolves when it has ended. */
  serveControl(connection: Duplex, solver: Solver): Promise<void>;
  /** Keeps what a client offers for its builds; resolves when the connection has ended. */
  keepSession(connection: Duplex, offer: SessionOffer): Promise<void>;
}

/** A build that another builder is to carry out. */
export interface RemoteSolve {
  /** The options of its frontend, which is `dockerfile.v0`. */
  readonly options: Readonly<Record<string, string>>;
  /** What becomes of the result: an archive as `docker load` takes it, or what the client has asked to be sent; '' for neither. */
  readonly exporter: 'docker' | 'local' | 'tar' | '';
  readonly exporterOptions: Readonly<Record<string, string>>;
  /** The Dockerfile and its ignore file by their names: the builder gets these, and not what the client has by then. */
  readonly definition: ReadonlyMap<string, Uint8Array>;
  /** What else the builder asks for, it gets from the client. */
  readonly session: BuildSession;
  /** Takes the archive of the exporter `docker`; the build fails where it does. */
  readonly takeImage: (archive: Readable) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A BuildKit daemon that the operator has put beside berth. */
export interface RemoteBuilder {
  /** Answers what the exporter has to say. Unavailable where the daemon does not answer; what fails there, fails here. */
  solve(asked: RemoteSolve, report: ReportSolve): Promise<Readonly<Record<string, string>>>;
}
