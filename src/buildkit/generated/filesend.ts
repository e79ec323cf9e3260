// Made by scripts/generate-protos.ts from proto/buildkit/filesend.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface BytesMessage {
  readonly data: Uint8Array;
}

export interface BytesMessageInput {
  readonly data?: Uint8Array;
}

export const filesendServiceName = 'moby.filesync.v1.FileSend';

export interface FileSendMethods {
  readonly DiffCopy: MethodDefinition<BytesMessageInput, BytesMessage>;
}
