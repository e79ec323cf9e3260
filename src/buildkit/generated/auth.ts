// Made by scripts/generate-protos.ts from proto/buildkit/auth.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface CredentialsRequest {
  readonly Host: string;
}

export interface CredentialsRequestInput {
  readonly Host?: string;
}

export interface CredentialsResponse {
  readonly Username: string;
  readonly Secret: string;
}

export interface CredentialsResponseInput {
  readonly Username?: string;
  readonly Secret?: string;
}

export const authServiceName = 'moby.filesync.v1.Auth';

export interface AuthMethods {
  readonly Credentials: MethodDefinition<CredentialsRequestInput, CredentialsResponse>;
}
