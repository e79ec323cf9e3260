// Made by scripts/generate-protos.ts from proto/diff.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface ApplyRequest {
  readonly diff: Descriptor | null;
  readonly mounts: readonly Mount[];
}

export interface ApplyRequestInput {
  readonly diff?: DescriptorInput;
  readonly mounts?: readonly MountInput[];
}

export interface ApplyResponse {
  readonly applied: Descriptor | null;
}

export interface ApplyResponseInput {
  readonly applied?: DescriptorInput;
}

export interface DiffRequest {
  readonly left: readonly Mount[];
  readonly right: readonly Mount[];
  readonly mediaType: string;
  readonly ref: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface DiffRequestInput {
  readonly left?: readonly MountInput[];
  readonly right?: readonly MountInput[];
  readonly mediaType?: string;
  readonly ref?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface DiffResponse {
  readonly diff: Descriptor | null;
}

export interface DiffResponseInput {
  readonly diff?: DescriptorInput;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface DescriptorInput {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

export interface MountInput {
  readonly type?: string;
  readonly source?: string;
  readonly target?: string;
  readonly options?: readonly string[];
}

export interface Metric {
  readonly timestamp: GoogleTimestamp | null;
  readonly id: string;
  readonly data: GoogleAny | null;
}

export interface MetricInput {
  readonly timestamp?: GoogleTimestampInput;
  readonly id?: string;
  readonly data?: GoogleAnyInput;
}

export interface GoogleAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface GoogleAnyInput {
  readonly type_url?: string;
  readonly value?: Uint8Array;
}

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export const diffServiceName = 'containerd.services.diff.v1.Diff';

export interface DiffMethods {
  readonly Apply: MethodDefinition<ApplyRequestInput, ApplyResponse>;
  readonly Diff: MethodDefinition<DiffRequestInput, DiffResponse>;
}
