// Made by scripts/generate-protos.ts from proto/buildkit/gateway.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface ResolveImageConfigRequest {
  readonly Ref: string;
  readonly Platform: Platform | null;
  readonly ResolveMode: string;
  readonly SessionID: string;
}

export interface ResolveImageConfigRequestInput {
  readonly Ref?: string;
  readonly Platform?: PlatformInput;
  readonly ResolveMode?: string;
  readonly SessionID?: string;
}

export interface ResolveImageConfigResponse {
  readonly Digest: string;
  readonly Config: Uint8Array;
  readonly Ref: string;
}

export interface ResolveImageConfigResponseInput {
  readonly Digest?: string;
  readonly Config?: Uint8Array;
  readonly Ref?: string;
}

export interface Definition {
  readonly def: readonly Uint8Array[];
}

export interface DefinitionInput {
  readonly def?: readonly Uint8Array[];
}

export interface SolveRequest {
  readonly Definition: Definition | null;
  readonly Frontend: string;
  readonly FrontendOpt: Readonly<Record<string, string>>;
  readonly allowResultReturn: boolean;
  readonly allowResultArrayRef: boolean;
  readonly FrontendInputs: Readonly<Record<string, Definition>>;
  readonly Evaluate: boolean;
}

export interface SolveRequestInput {
  readonly Definition?: DefinitionInput;
  readonly Frontend?: string;
  readonly FrontendOpt?: Readonly<Record<string, string>>;
  readonly allowResultReturn?: boolean;
  readonly allowResultArrayRef?: boolean;
  readonly FrontendInputs?: Readonly<Record<string, DefinitionInput>>;
  readonly Evaluate?: boolean;
}

export interface SolveResponse {
  readonly ref: string;
  readonly result: Result | null;
}

export interface SolveResponseInput {
  readonly ref?: string;
  readonly result?: ResultInput;
}

export interface Result {
  readonly refDeprecated: string;
  readonly ref: Ref | null;
  readonly refs: RefMap | null;
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

export interface ResultInput {
  readonly refDeprecated?: string;
  readonly ref?: RefInput;
  readonly refs?: RefMapInput;
  readonly metadata?: Readonly<Record<string, Uint8Array>>;
}

export interface Ref {
  readonly id: string;
}

export interface RefInput {
  readonly id?: string;
}

export interface RefMap {
  readonly refs: Readonly<Record<string, Ref>>;
}

export interface RefMapInput {
  readonly refs?: Readonly<Record<string, RefInput>>;
}

export interface ReturnRequest {
  readonly result: Result | null;
  readonly error: GoogleStatus | null;
}

export interface ReturnRequestInput {
  readonly result?: ResultInput;
  readonly error?: GoogleStatusInput;
}

export type ReturnResponse = Readonly<Record<string, never>>;
export type ReturnResponseInput = ReturnResponse;

export interface EvaluateRequest {
  readonly Ref: string;
}

export interface EvaluateRequestInput {
  readonly Ref?: string;
}

export type EvaluateResponse = Readonly<Record<string, never>>;
export type EvaluateResponseInput = EvaluateResponse;

export type InputsRequest = Readonly<Record<string, never>>;
export type InputsRequestInput = InputsRequest;

export type InputsResponse = Readonly<Record<string, never>>;
export type InputsResponseInput = InputsResponse;

export type PingRequest = Readonly<Record<string, never>>;
export type PingRequestInput = PingRequest;

export interface PongResponse {
  readonly FrontendAPICaps: readonly APICap[];
  readonly LLBCaps: readonly APICap[];
  readonly Workers: readonly WorkerRecord[];
}

export interface PongResponseInput {
  readonly FrontendAPICaps?: readonly APICapInput[];
  readonly LLBCaps?: readonly APICapInput[];
  readonly Workers?: readonly WorkerRecordInput[];
}

export interface WarnRequest {
  readonly digest: string;
}

export interface WarnRequestInput {
  readonly digest?: string;
}

export type WarnResponse = Readonly<Record<string, never>>;
export type WarnResponseInput = WarnResponse;

export interface WorkerRecord {
  readonly ID: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly platforms: readonly Platform[];
  readonly BuildkitVersion: BuildkitVersion | null;
}

export interface WorkerRecordInput {
  readonly ID?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly platforms?: readonly PlatformInput[];
  readonly BuildkitVersion?: BuildkitVersionInput;
}

export interface BuildkitVersion {
  readonly package: string;
  readonly version: string;
  readonly revision: string;
}

export interface BuildkitVersionInput {
  readonly package?: string;
  readonly version?: string;
  readonly revision?: string;
}

export interface APICap {
  readonly ID: string;
  readonly Enabled: boolean;
}

export interface APICapInput {
  readonly ID?: string;
  readonly Enabled?: boolean;
}

export interface Platform {
  readonly Architecture: string;
  readonly OS: string;
  readonly Variant: string;
}

export interface PlatformInput {
  readonly Architecture?: string;
  readonly OS?: string;
  readonly Variant?: string;
}

export interface GoogleStatus {
  readonly code: number;
  readonly message: string;
}

export interface GoogleStatusInput {
  readonly code?: number;
  readonly message?: string;
}

export const llbbridgeServiceName = 'moby.buildkit.v1.frontend.LLBBridge';

export interface LLBBridgeMethods {
  readonly ResolveImageConfig: MethodDefinition<ResolveImageConfigRequestInput, ResolveImageConfigResponse>;
  readonly Solve: MethodDefinition<SolveRequestInput, SolveResponse>;
  readonly Evaluate: MethodDefinition<EvaluateRequestInput, EvaluateResponse>;
  readonly Ping: MethodDefinition<PingRequestInput, PongResponse>;
  readonly Return: MethodDefinition<ReturnRequestInput, ReturnResponse>;
  readonly Inputs: MethodDefinition<InputsRequestInput, InputsResponse>;
  readonly Warn: MethodDefinition<WarnRequestInput, WarnResponse>;
}
