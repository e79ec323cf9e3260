// Made by scripts/generate-protos.ts from proto/buildkit/control.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface BytesMessage {
  readonly data: Uint8Array;
}

export interface BytesMessageInput {
  readonly data?: Uint8Array;
}

export interface DiskUsageRequest {
  readonly filter: readonly string[];
}

export interface DiskUsageRequestInput {
  readonly filter?: readonly string[];
}

export interface DiskUsageResponse {
  readonly record: readonly UsageRecord[];
}

export interface DiskUsageResponseInput {
  readonly record?: readonly UsageRecordInput[];
}

export interface PruneRequest {
  readonly filter: readonly string[];
  readonly all: boolean;
  readonly keepDuration: number;
  readonly keepBytes: number;
  readonly maxUsedSpace: number;
}

export interface PruneRequestInput {
  readonly filter?: readonly string[];
  readonly all?: boolean;
  readonly keepDuration?: number;
  readonly keepBytes?: number;
  readonly maxUsedSpace?: number;
}

export interface UsageRecord {
  readonly ID: string;
  readonly Mutable: boolean;
  readonly InUse: boolean;
  readonly Size: number;
  readonly CreatedAt: GoogleTimestamp | null;
  readonly LastUsedAt: GoogleTimestamp | null;
  readonly UsageCount: number;
  readonly Description: string;
  readonly RecordType: string;
  readonly Shared: boolean;
  readonly Parents: readonly string[];
}

export interface UsageRecordInput {
  readonly ID?: string;
  readonly Mutable?: boolean;
  readonly InUse?: boolean;
  readonly Size?: number;
  readonly CreatedAt?: GoogleTimestampInput;
  readonly LastUsedAt?: GoogleTimestampInput;
  readonly UsageCount?: number;
  readonly Description?: string;
  readonly RecordType?: string;
  readonly Shared?: boolean;
  readonly Parents?: readonly string[];
}

export interface SolveRequest {
  readonly Ref: string;
  readonly Definition: Uint8Array;
  readonly Exporter: string;
  readonly ExporterAttrs: Readonly<Record<string, string>>;
  readonly Session: string;
  readonly Frontend: string;
  readonly FrontendAttrs: Readonly<Record<string, string>>;
  readonly Cache: CacheOptions | null;
  readonly Entitlements: readonly string[];
  readonly FrontendInputs: Readonly<Record<string, Uint8Array>>;
  readonly SourcePolicy: Uint8Array;
  readonly Exporters: readonly Exporter[];
  readonly SourcePolicySession: string;
}

export interface SolveRequestInput {
  readonly Ref?: string;
  readonly Definition?: Uint8Array;
  readonly Exporter?: string;
  readonly ExporterAttrs?: Readonly<Record<string, string>>;
  readonly Session?: string;
  readonly Frontend?: string;
  readonly FrontendAttrs?: Readonly<Record<string, string>>;
  readonly Cache?: CacheOptionsInput;
  readonly Entitlements?: readonly string[];
  readonly FrontendInputs?: Readonly<Record<string, Uint8Array>>;
  readonly SourcePolicy?: Uint8Array;
  readonly Exporters?: readonly ExporterInput[];
  readonly SourcePolicySession?: string;
}

export interface CacheOptions {
  readonly ExportRefDeprecated: string;
  readonly Exports: readonly CacheOptionsEntry[];
  readonly Imports: readonly CacheOptionsEntry[];
}

export interface CacheOptionsInput {
  readonly ExportRefDeprecated?: string;
  readonly Exports?: readonly CacheOptionsEntryInput[];
  readonly Imports?: readonly CacheOptionsEntryInput[];
}

export interface CacheOptionsEntry {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

export interface CacheOptionsEntryInput {
  readonly Type?: string;
  readonly Attrs?: Readonly<Record<string, string>>;
}

export interface Exporter {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

export interface ExporterInput {
  readonly Type?: string;
  readonly Attrs?: Readonly<Record<string, string>>;
}

export interface SolveResponse {
  readonly ExporterResponse: Readonly<Record<string, string>>;
}

export interface SolveResponseInput {
  readonly ExporterResponse?: Readonly<Record<string, string>>;
}

export interface StatusRequest {
  readonly Ref: string;
}

export interface StatusRequestInput {
  readonly Ref?: string;
}

export interface StatusResponse {
  readonly vertexes: readonly Vertex[];
  readonly statuses: readonly VertexStatus[];
  readonly logs: readonly VertexLog[];
  readonly warnings: readonly VertexWarning[];
}

export interface StatusResponseInput {
  readonly vertexes?: readonly VertexInput[];
  readonly statuses?: readonly VertexStatusInput[];
  readonly logs?: readonly VertexLogInput[];
  readonly warnings?: readonly VertexWarningInput[];
}

export interface Vertex {
  readonly digest: string;
  readonly inputs: readonly string[];
  readonly name: string;
  readonly cached: boolean;
  readonly started: GoogleTimestamp | null;
  readonly completed: GoogleTimestamp | null;
  readonly error: string;
}

export interface VertexInput {
  readonly digest?: string;
  readonly inputs?: readonly string[];
  readonly name?: string;
  readonly cached?: boolean;
  readonly started?: GoogleTimestampInput;
  readonly completed?: GoogleTimestampInput;
  readonly error?: string;
}

export interface VertexStatus {
  readonly ID: string;
  readonly vertex: string;
  readonly name: string;
  readonly current: number;
  readonly total: number;
  readonly timestamp: GoogleTimestamp | null;
  readonly started: GoogleTimestamp | null;
  readonly completed: GoogleTimestamp | null;
}

export interface VertexStatusInput {
  readonly ID?: string;
  readonly vertex?: string;
  readonly name?: string;
  readonly current?: number;
  readonly total?: number;
  readonly timestamp?: GoogleTimestampInput;
  readonly started?: GoogleTimestampInput;
  readonly completed?: GoogleTimestampInput;
}

export interface VertexLog {
  readonly vertex: string;
  readonly timestamp: GoogleTimestamp | null;
  readonly stream: number;
  readonly msg: Uint8Array;
}

export interface VertexLogInput {
  readonly vertex?: string;
  readonly timestamp?: GoogleTimestampInput;
  readonly stream?: number;
  readonly msg?: Uint8Array;
}

export interface VertexWarning {
  readonly vertex: string;
  readonly level: number;
  readonly short: Uint8Array;
  readonly detail: readonly Uint8Array[];
  readonly url: string;
}

export interface VertexWarningInput {
  readonly vertex?: string;
  readonly level?: number;
  readonly short?: Uint8Array;
  readonly detail?: readonly Uint8Array[];
  readonly url?: string;
}

export interface ListWorkersRequest {
  readonly filter: readonly string[];
}

export interface ListWorkersRequestInput {
  readonly filter?: readonly string[];
}

export interface ListWorkersResponse {
  readonly record: readonly WorkerRecord[];
}

export interface ListWorkersResponseInput {
  readonly record?: readonly WorkerRecordInput[];
}

export type InfoRequest = Readonly<Record<string, never>>;
export type InfoRequestInput = InfoRequest;

export interface InfoResponse {
  readonly buildkitVersion: BuildkitVersion | null;
}

export interface InfoResponseInput {
  readonly buildkitVersion?: BuildkitVersionInput;
}

export interface BuildHistoryRequest {
  readonly ActiveOnly: boolean;
  readonly Ref: string;
  readonly EarlyExit: boolean;
}

export interface BuildHistoryRequestInput {
  readonly ActiveOnly?: boolean;
  readonly Ref?: string;
  readonly EarlyExit?: boolean;
}

export interface BuildHistoryEvent {
  readonly type: number;
}

export interface BuildHistoryEventInput {
  readonly type?: number;
}

export interface WorkerRecord {
  readonly ID: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly platforms: readonly Platform[];
  readonly BuildkitVersion: BuildkitVersion | null;
}

export interface WorkerRecordInput {
  readonly ID?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly platforms?: readonly PlatformInput[];
  readonly BuildkitVersion?: BuildkitVersionInput;
}

export interface BuildkitVersion {
  readonly package: string;
  readonly version: string;
  readonly revision: string;
}

export interface BuildkitVersionInput {
  readonly package?: string;
  readonly version?: string;
  readonly revision?: string;
}

export interface Platform {
  readonly Architecture: string;
  readonly OS: string;
  readonly Variant: string;
}

export interface PlatformInput {
  readonly Architecture?: string;
  readonly OS?: string;
  readonly Variant?: string;
}

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export const controlServiceName = 'moby.buildkit.v1.Control';

export interface ControlMethods {
  readonly DiskUsage: MethodDefinition<DiskUsageRequestInput, DiskUsageResponse>;
  readonly Prune: MethodDefinition<PruneRequestInput, UsageRecord>;
  readonly Solve: MethodDefinition<SolveRequestInput, SolveResponse>;
  readonly Status: MethodDefinition<StatusRequestInput, StatusResponse>;
  readonly Session: MethodDefinition<BytesMessageInput, BytesMessage>;
  readonly ListWorkers: MethodDefinition<ListWorkersRequestInput, ListWorkersResponse>;
  readonly Info: MethodDefinition<InfoRequestInput, InfoResponse>;
  readonly ListenBuildHistory: MethodDefinition<BuildHistoryRequestInput, BuildHistoryEvent>;
}
