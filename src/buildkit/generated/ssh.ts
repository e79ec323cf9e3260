// Made by scripts/generate-protos.ts from proto/buildkit/ssh.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface BytesMessage {
  readonly data: Uint8Array;
}

export interface BytesMessageInput {
  readonly data?: Uint8Array;
}

export interface CheckAgentRequest {
  readonly ID: string;
}

export interface CheckAgentRequestInput {
  readonly ID?: string;
}

export type CheckAgentResponse = Readonly<Record<string, never>>;
export type CheckAgentResponseInput = CheckAgentResponse;

export const sshServiceName = 'moby.sshforward.v1.SSH';

export interface SSHMethods {
  readonly CheckAgent: MethodDefinition<CheckAgentRequestInput, CheckAgentResponse>;
  readonly ForwardAgent: MethodDefinition<BytesMessageInput, BytesMessage>;
}
