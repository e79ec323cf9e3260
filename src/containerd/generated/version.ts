// Made by scripts/generate-protos.ts from proto/version.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface VersionResponse {
  readonly version: string;
  readonly revision: string;
}

export interface VersionResponseInput {
  readonly version?: string;
  readonly revision?: string;
}

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export const versionServiceName = 'containerd.services.version.v1.Version';

export interface VersionMethods {
  readonly Version: MethodDefinition<GoogleEmptyInput, VersionResponse>;
}
