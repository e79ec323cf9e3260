// Made by scripts/generate-protos.ts from proto/buildkit/upload.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface BytesMessage {
  readonly data: Uint8Array;
}

export interface BytesMessageInput {
  readonly data?: Uint8Array;
}

export const uploadServiceName = 'moby.upload.v1.Upload';

export interface UploadMethods {
  readonly Pull: MethodDefinition<BytesMessageInput, BytesMessage>;
}
