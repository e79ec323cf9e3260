// Made by scripts/generate-protos.ts from proto/introspection.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Plugin {
  readonly type: string;
  readonly id: string;
  readonly requires: readonly string[];
  readonly exports: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  readonly initErr: GoogleStatus | null;
}

export interface PluginInput {
  readonly type?: string;
  readonly id?: string;
  readonly requires?: readonly string[];
  readonly exports?: Readonly<Record<string, string>>;
  readonly capabilities?: readonly string[];
  readonly initErr?: GoogleStatusInput;
}

export interface PluginsRequest {
  readonly filters: readonly string[];
}

export interface PluginsRequestInput {
  readonly filters?: readonly string[];
}

export interface PluginsResponse {
  readonly plugins: readonly Plugin[];
}

export interface PluginsResponseInput {
  readonly plugins?: readonly PluginInput[];
}

export interface ServerResponse {
  readonly uuid: string;
}

export interface ServerResponseInput {
  readonly uuid?: string;
}

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleStatus {
  readonly code: number;
  readonly message: string;
}

export interface GoogleStatusInput {
  readonly code?: number;
  readonly message?: string;
}

export const introspectionServiceName = 'containerd.services.introspection.v1.Introspection';

export interface IntrospectionMethods {
  readonly Plugins: MethodDefinition<PluginsRequestInput, PluginsResponse>;
  readonly Server: MethodDefinition<GoogleEmptyInput, ServerResponse>;
}
