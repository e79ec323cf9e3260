// Made by scripts/generate-protos.ts from proto/snapshots.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface PrepareSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
  readonly parent: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PrepareSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
  readonly parent?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrepareSnapshotResponse {
  readonly mounts: readonly Mount[];
}

export interface PrepareSnapshotResponseInput {
  readonly mounts?: readonly MountInput[];
}

export interface ViewSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
  readonly parent: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ViewSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
  readonly parent?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ViewSnapshotResponse {
  readonly mounts: readonly Mount[];
}

export interface ViewSnapshotResponseInput {
  readonly mounts?: readonly MountInput[];
}

export interface MountsRequest {
  readonly snapshotter: string;
  readonly key: string;
}

export interface MountsRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
}

export interface MountsResponse {
  readonly mounts: readonly Mount[];
}

export interface MountsResponseInput {
  readonly mounts?: readonly MountInput[];
}

export interface RemoveSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
}

export interface RemoveSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
}

export interface CommitSnapshotRequest {
  readonly snapshotter: string;
  readonly name: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface CommitSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly name?: string;
  readonly key?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface StatSnapshotRequest {
  readonly snapshotter: string;
  readonly key: string;
}

export interface StatSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
}

export interface Info {
  readonly name: string;
  readonly parent: string;
  readonly kind: 'UNKNOWN' | 'VIEW' | 'ACTIVE' | 'COMMITTED';
  readonly createdAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface InfoInput {
  readonly name?: string;
  readonly parent?: string;
  readonly kind?: 'UNKNOWN' | 'VIEW' | 'ACTIVE' | 'COMMITTED';
  readonly createdAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface StatSnapshotResponse {
  readonly info: Info | null;
}

export interface StatSnapshotResponseInput {
  readonly info?: InfoInput;
}

export interface UpdateSnapshotRequest {
  readonly snapshotter: string;
  readonly info: Info | null;
  readonly updateMask: GoogleFieldMask | null;
}

export interface UpdateSnapshotRequestInput {
  readonly snapshotter?: string;
  readonly info?: InfoInput;
  readonly updateMask?: GoogleFieldMaskInput;
}

export interface UpdateSnapshotResponse {
  readonly info: Info | null;
}

export interface UpdateSnapshotResponseInput {
  readonly info?: InfoInput;
}

export interface ListSnapshotsRequest {
  readonly snapshotter: string;
  readonly filters: readonly string[];
}

export interface ListSnapshotsRequestInput {
  readonly snapshotter?: string;
  readonly filters?: readonly string[];
}

export interface ListSnapshotsResponse {
  readonly info: readonly Info[];
}

export interface ListSnapshotsResponseInput {
  readonly info?: readonly InfoInput[];
}

export interface UsageRequest {
  readonly snapshotter: string;
  readonly key: string;
}

export interface UsageRequestInput {
  readonly snapshotter?: string;
  readonly key?: string;
}

export interface UsageResponse {
  readonly size: number;
  readonly inodes: number;
}

export interface UsageResponseInput {
  readonly size?: number;
  readonly inodes?: number;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface DescriptorInput {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

export interface MountInput {
  readonly type?: string;
  readonly source?: string;
  readonly target?: string;
  readonly options?: readonly string[];
}

export interface Metric {
  readonly timestamp: GoogleTimestamp | null;
  readonly id: string;
  readonly data: GoogleAny | null;
}

export interface MetricInput {
  readonly timestamp?: GoogleTimestampInput;
  readonly id?: string;
  readonly data?: GoogleAnyInput;
}

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleFieldMask {
  readonly paths: readonly string[];
}

export interface GoogleFieldMaskInput {
  readonly paths?: readonly string[];
}

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export interface GoogleAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface GoogleAnyInput {
  readonly type_url?: string;
  readonly value?: Uint8Array;
}

export const snapshotsServiceName = 'containerd.services.snapshots.v1.Snapshots';

export interface SnapshotsMethods {
  readonly Prepare: MethodDefinition<PrepareSnapshotRequestInput, PrepareSnapshotResponse>;
  readonly View: MethodDefinition<ViewSnapshotRequestInput, ViewSnapshotResponse>;
  readonly Mounts: MethodDefinition<MountsRequestInput, MountsResponse>;
  readonly Commit: MethodDefinition<CommitSnapshotRequestInput, GoogleEmpty>;
  readonly Remove: MethodDefinition<RemoveSnapshotRequestInput, GoogleEmpty>;
  readonly Stat: MethodDefinition<StatSnapshotRequestInput, StatSnapshotResponse>;
  readonly Update: MethodDefinition<UpdateSnapshotRequestInput, UpdateSnapshotResponse>;
  readonly List: MethodDefinition<ListSnapshotsRequestInput, ListSnapshotsResponse>;
  readonly Usage: MethodDefinition<UsageRequestInput, UsageResponse>;
}
