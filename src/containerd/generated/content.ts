// Made by scripts/generate-protos.ts from proto/content.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Info {
  readonly digest: string;
  readonly size: number;
  readonly createdAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface InfoInput {
  readonly digest?: string;
  readonly size?: number;
  readonly createdAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface InfoRequest {
  readonly digest: string;
}

export interface InfoRequestInput {
  readonly digest?: string;
}

export interface InfoResponse {
  readonly info: Info | null;
}

export interface InfoResponseInput {
  readonly info?: InfoInput;
}

export interface UpdateRequest {
  readonly info: Info | null;
  readonly updateMask: GoogleFieldMask | null;
}

export interface UpdateRequestInput {
  readonly info?: InfoInput;
  readonly updateMask?: GoogleFieldMaskInput;
}

export interface UpdateResponse {
  readonly info: Info | null;
}

export interface UpdateResponseInput {
  readonly info?: InfoInput;
}

export interface ListContentRequest {
  readonly filters: readonly string[];
}

export interface ListContentRequestInput {
  readonly filters?: readonly string[];
}

export interface ListContentResponse {
  readonly info: readonly Info[];
}

export interface ListContentResponseInput {
  readonly info?: readonly InfoInput[];
}

export interface DeleteContentRequest {
  readonly digest: string;
}

export interface DeleteContentRequestInput {
  readonly digest?: string;
}

export interface ReadContentRequest {
  readonly digest: string;
  readonly offset: number;
  readonly size: number;
}

export interface ReadContentRequestInput {
  readonly digest?: string;
  readonly offset?: number;
  readonly size?: number;
}

export interface ReadContentResponse {
  readonly offset: number;
  readonly data: Uint8Array;
}

export interface ReadContentResponseInput {
  readonly offset?: number;
  readonly data?: Uint8Array;
}

export interface Status {
  readonly startedAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
  readonly ref: string;
  readonly offset: number;
  readonly total: number;
  readonly expected: string;
}

export interface StatusInput {
  readonly startedAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
  readonly ref?: string;
  readonly offset?: number;
  readonly total?: number;
  readonly expected?: string;
}

export interface StatusRequest {
  readonly ref: string;
}

export interface StatusRequestInput {
  readonly ref?: string;
}

export interface StatusResponse {
  readonly status: Status | null;
}

export interface StatusResponseInput {
  readonly status?: StatusInput;
}

export interface ListStatusesRequest {
  readonly filters: readonly string[];
}

export interface ListStatusesRequestInput {
  readonly filters?: readonly string[];
}

export interface ListStatusesResponse {
  readonly statuses: readonly Status[];
}

export interface ListStatusesResponseInput {
  readonly statuses?: readonly StatusInput[];
}

export interface WriteContentRequest {
  readonly action: 'STAT' | 'WRITE' | 'COMMIT';
  readonly ref: string;
  readonly total: number;
  readonly expected: string;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly labels: Readonly<Record<string, string>>;
}

export interface WriteContentRequestInput {
  readonly action?: 'STAT' | 'WRITE' | 'COMMIT';
  readonly ref?: string;
  readonly total?: number;
  readonly expected?: string;
  readonly offset?: number;
  readonly data?: Uint8Array;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface WriteContentResponse {
  readonly action: 'STAT' | 'WRITE' | 'COMMIT';
  readonly startedAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
  readonly offset: number;
  readonly total: number;
  readonly digest: string;
}

export interface WriteContentResponseInput {
  readonly action?: 'STAT' | 'WRITE' | 'COMMIT';
  readonly startedAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
  readonly offset?: number;
  readonly total?: number;
  readonly digest?: string;
}

export interface AbortRequest {
  readonly ref: string;
}

export interface AbortRequestInput {
  readonly ref?: string;
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

export const contentServiceName = 'containerd.services.content.v1.Content';

export interface ContentMethods {
  readonly Info: MethodDefinition<InfoRequestInput, InfoResponse>;
  readonly Update: MethodDefinition<UpdateRequestInput, UpdateResponse>;
  readonly List: MethodDefinition<ListContentRequestInput, ListContentResponse>;
  readonly Delete: MethodDefinition<DeleteContentRequestInput, GoogleEmpty>;
  readonly Read: MethodDefinition<ReadContentRequestInput, ReadContentResponse>;
  readonly Status: MethodDefinition<StatusRequestInput, StatusResponse>;
  readonly ListStatuses: MethodDefinition<ListStatusesRequestInput, ListStatusesResponse>;
  readonly Write: MethodDefinition<WriteContentRequestInput, WriteContentResponse>;
  readonly Abort: MethodDefinition<AbortRequestInput, GoogleEmpty>;
}
