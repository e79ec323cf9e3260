// Made by scripts/generate-protos.ts from proto/buildkit/secrets.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface GetSecretRequest {
  readonly ID: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface GetSecretRequestInput {
  readonly ID?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface GetSecretResponse {
  readonly data: Uint8Array;
}

export interface GetSecretResponseInput {
  readonly data?: Uint8Array;
}

export const secretsServiceName = 'moby.buildkit.secrets.v1.Secrets';

export interface SecretsMethods {
  readonly GetSecret: MethodDefinition<GetSecretRequestInput, GetSecretResponse>;
}
