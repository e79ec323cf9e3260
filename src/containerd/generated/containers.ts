// Made by scripts/generate-protos.ts from proto/containers.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Container {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly runtime: ContainerRuntime | null;
  readonly spec: GoogleAny | null;
  readonly snapshotter: string;
  readonly snapshotKey: string;
  readonly createdAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
  readonly extensions: Readonly<Record<string, GoogleAny>>;
}

export interface ContainerInput {
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly runtime?: ContainerRuntimeInput;
  readonly spec?: GoogleAnyInput;
  readonly snapshotter?: string;
  readonly snapshotKey?: string;
  readonly createdAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
  readonly extensions?: Readonly<Record<string, GoogleAnyInput>>;
}

export interface ContainerRuntime {
  readonly name: string;
  readonly options: GoogleAny | null;
}

export interface ContainerRuntimeInput {
  readonly name?: string;
  readonly options?: GoogleAnyInput;
}

export interface GetContainerRequest {
  readonly id: string;
}

export interface GetContainerRequestInput {
  readonly id?: string;
}

export interface GetContainerResponse {
  readonly container: Container | null;
}

export interface GetContainerResponseInput {
  readonly container?: ContainerInput;
}

export interface ListContainersRequest {
  readonly filters: readonly string[];
}

export interface ListContainersRequestInput {
  readonly filters?: readonly string[];
}

export interface ListContainerMessage {
  readonly container: Container | null;
}

export interface ListContainerMessageInput {
  readonly container?: ContainerInput;
}

export interface CreateContainerRequest {
  readonly container: Container | null;
}

export interface CreateContainerRequestInput {
  readonly container?: ContainerInput;
}

export interface CreateContainerResponse {
  readonly container: Container | null;
}

export interface CreateContainerResponseInput {
  readonly container?: ContainerInput;
}

export interface UpdateContainerRequest {
  readonly container: Container | null;
  readonly updateMask: GoogleFieldMask | null;
}

export interface UpdateContainerRequestInput {
  readonly container?: ContainerInput;
  readonly updateMask?: GoogleFieldMaskInput;
}

export interface UpdateContainerResponse {
  readonly container: Container | null;
}

export interface UpdateContainerResponseInput {
  readonly container?: ContainerInput;
}

export interface DeleteContainerRequest {
  readonly id: string;
}

export interface DeleteContainerRequestInput {
  readonly id?: string;
}

export interface GoogleAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface GoogleAnyInput {
  readonly type_url?: string;
  readonly value?: Uint8Array;
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

export const containersServiceName = 'containerd.services.containers.v1.Containers';

export interface ContainersMethods {
  readonly Get: MethodDefinition<GetContainerRequestInput, GetContainerResponse>;
  readonly ListStream: MethodDefinition<ListContainersRequestInput, ListContainerMessage>;
  readonly Create: MethodDefinition<CreateContainerRequestInput, CreateContainerResponse>;
  readonly Update: MethodDefinition<UpdateContainerRequestInput, UpdateContainerResponse>;
  readonly Delete: MethodDefinition<DeleteContainerRequestInput, GoogleEmpty>;
}
