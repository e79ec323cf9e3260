// Made by scripts/generate-protos.ts from proto/leases.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Lease {
  readonly id: string;
  readonly createdAt: GoogleTimestamp | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface LeaseInput {
  readonly id?: string;
  readonly createdAt?: GoogleTimestampInput;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface CreateRequest {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface CreateRequestInput {
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface CreateResponse {
  readonly lease: Lease | null;
}

export interface CreateResponseInput {
  readonly lease?: LeaseInput;
}

export interface DeleteRequest {
  readonly id: string;
  readonly sync: boolean;
}

export interface DeleteRequestInput {
  readonly id?: string;
  readonly sync?: boolean;
}

export interface ListRequest {
  readonly filters: readonly string[];
}

export interface ListRequestInput {
  readonly filters?: readonly string[];
}

export interface ListResponse {
  readonly leases: readonly Lease[];
}

export interface ListResponseInput {
  readonly leases?: readonly LeaseInput[];
}

export interface Resource {
  readonly id: string;
  readonly type: string;
}

export interface ResourceInput {
  readonly id?: string;
  readonly type?: string;
}

export interface AddResourceRequest {
  readonly id: string;
  readonly resource: Resource | null;
}

export interface AddResourceRequestInput {
  readonly id?: string;
  readonly resource?: ResourceInput;
}

export interface DeleteResourceRequest {
  readonly id: string;
  readonly resource: Resource | null;
}

export interface DeleteResourceRequestInput {
  readonly id?: string;
  readonly resource?: ResourceInput;
}

export interface ListResourcesRequest {
  readonly id: string;
}

export interface ListResourcesRequestInput {
  readonly id?: string;
}

export interface ListResourcesResponse {
  readonly resources: readonly Resource[];
}

export interface ListResourcesResponseInput {
  readonly resources?: readonly ResourceInput[];
}

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export const leasesServiceName = 'containerd.services.leases.v1.Leases';

export interface LeasesMethods {
  readonly Create: MethodDefinition<CreateRequestInput, CreateResponse>;
  readonly Delete: MethodDefinition<DeleteRequestInput, GoogleEmpty>;
  readonly List: MethodDefinition<ListRequestInput, ListResponse>;
  readonly AddResource: MethodDefinition<AddResourceRequestInput, GoogleEmpty>;
  readonly DeleteResource: MethodDefinition<DeleteResourceRequestInput, GoogleEmpty>;
  readonly ListResources: MethodDefinition<ListResourcesRequestInput, ListResourcesResponse>;
}
