// Made by scripts/generate-protos.ts from proto/namespaces.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface NamespaceInput {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ListNamespacesRequest {
  readonly filter: string;
}

export interface ListNamespacesRequestInput {
  readonly filter?: string;
}

export interface ListNamespacesResponse {
  readonly namespaces: readonly Namespace[];
}

export interface ListNamespacesResponseInput {
  readonly namespaces?: readonly NamespaceInput[];
}

export interface CreateNamespaceRequest {
  readonly namespace: Namespace | null;
}

export interface CreateNamespaceRequestInput {
  readonly namespace?: NamespaceInput;
}

export interface CreateNamespaceResponse {
  readonly namespace: Namespace | null;
}

export interface CreateNamespaceResponseInput {
  readonly namespace?: NamespaceInput;
}

export interface UpdateNamespaceRequest {
  readonly namespace: Namespace | null;
  readonly updateMask: GoogleFieldMask | null;
}

export interface UpdateNamespaceRequestInput {
  readonly namespace?: NamespaceInput;
  readonly updateMask?: GoogleFieldMaskInput;
}

export interface UpdateNamespaceResponse {
  readonly namespace: Namespace | null;
}

export interface UpdateNamespaceResponseInput {
  readonly namespace?: NamespaceInput;
}

export interface DeleteNamespaceRequest {
  readonly name: string;
}

export interface DeleteNamespaceRequestInput {
  readonly name?: string;
}

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleFieldMask {
  readonly paths: readonly string[];
}

export interface GoogleFieldMaskInput {
  readonly paths?: readonly string[];
}

export const namespacesServiceName = 'containerd.services.namespaces.v1.Namespaces';

export interface NamespacesMethods {
  readonly List: MethodDefinition<ListNamespacesRequestInput, ListNamespacesResponse>;
  readonly Create: MethodDefinition<CreateNamespaceRequestInput, CreateNamespaceResponse>;
  readonly Update: MethodDefinition<UpdateNamespaceRequestInput, UpdateNamespaceResponse>;
  readonly Delete: MethodDefinition<DeleteNamespaceRequestInput, GoogleEmpty>;
}
