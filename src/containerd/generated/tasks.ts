// Made by scripts/generate-protos.ts from proto/tasks.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface CreateTaskRequest {
  readonly containerId: string;
  readonly rootfs: readonly Mount[];
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly options: GoogleAny | null;
}

export interface CreateTaskRequestInput {
  readonly containerId?: string;
  readonly rootfs?: readonly MountInput[];
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly terminal?: boolean;
  readonly options?: GoogleAnyInput;
}

export interface CreateTaskResponse {
  readonly containerId: string;
  readonly pid: number;
}

export interface CreateTaskResponseInput {
  readonly containerId?: string;
  readonly pid?: number;
}

export interface StartRequest {
  readonly containerId: string;
  readonly execId: string;
}

export interface StartRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
}

export interface StartResponse {
  readonly pid: number;
}

export interface StartResponseInput {
  readonly pid?: number;
}

export interface DeleteTaskRequest {
  readonly containerId: string;
}

export interface DeleteTaskRequestInput {
  readonly containerId?: string;
}

export interface DeleteResponse {
  readonly id: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: GoogleTimestamp | null;
}

export interface DeleteResponseInput {
  readonly id?: string;
  readonly pid?: number;
  readonly exitStatus?: number;
  readonly exitedAt?: GoogleTimestampInput;
}

export interface DeleteProcessRequest {
  readonly containerId: string;
  readonly execId: string;
}

export interface DeleteProcessRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
}

export interface GetRequest {
  readonly containerId: string;
  readonly execId: string;
}

export interface GetRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
}

export interface GetResponse {
  readonly process: Process | null;
}

export interface GetResponseInput {
  readonly process?: ProcessInput;
}

export interface ListTasksRequest {
  readonly filter: string;
}

export interface ListTasksRequestInput {
  readonly filter?: string;
}

export interface ListTasksResponse {
  readonly tasks: readonly Process[];
}

export interface ListTasksResponseInput {
  readonly tasks?: readonly ProcessInput[];
}

export interface KillRequest {
  readonly containerId: string;
  readonly execId: string;
  readonly signal: number;
  readonly all: boolean;
}

export interface KillRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
  readonly signal?: number;
  readonly all?: boolean;
}

export interface ExecProcessRequest {
  readonly containerId: string;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly spec: GoogleAny | null;
  readonly execId: string;
}

export interface ExecProcessRequestInput {
  readonly containerId?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly terminal?: boolean;
  readonly spec?: GoogleAnyInput;
  readonly execId?: string;
}

export interface ResizePtyRequest {
  readonly containerId: string;
  readonly execId: string;
  readonly width: number;
  readonly height: number;
}

export interface ResizePtyRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
  readonly width?: number;
  readonly height?: number;
}

export interface CloseIORequest {
  readonly containerId: string;
  readonly execId: string;
  readonly stdin: boolean;
}

export interface CloseIORequestInput {
  readonly containerId?: string;
  readonly execId?: string;
  readonly stdin?: boolean;
}

export interface PauseTaskRequest {
  readonly containerId: string;
}

export interface PauseTaskRequestInput {
  readonly containerId?: string;
}

export interface ResumeTaskRequest {
  readonly containerId: string;
}

export interface ResumeTaskRequestInput {
  readonly containerId?: string;
}

export interface ListPidsRequest {
  readonly containerId: string;
}

export interface ListPidsRequestInput {
  readonly containerId?: string;
}

export interface ListPidsResponse {
  readonly processes: readonly ProcessInfo[];
}

export interface ListPidsResponseInput {
  readonly processes?: readonly ProcessInfoInput[];
}

export interface UpdateTaskRequest {
  readonly containerId: string;
  readonly resources: GoogleAny | null;
}

export interface UpdateTaskRequestInput {
  readonly containerId?: string;
  readonly resources?: GoogleAnyInput;
}

export interface MetricsRequest {
  readonly filters: readonly string[];
}

export interface MetricsRequestInput {
  readonly filters?: readonly string[];
}

export interface MetricsResponse {
  readonly metrics: readonly Metric[];
}

export interface MetricsResponseInput {
  readonly metrics?: readonly MetricInput[];
}

export interface WaitRequest {
  readonly containerId: string;
  readonly execId: string;
}

export interface WaitRequestInput {
  readonly containerId?: string;
  readonly execId?: string;
}

export interface WaitResponse {
  readonly exitStatus: number;
  readonly exitedAt: GoogleTimestamp | null;
}

export interface WaitResponseInput {
  readonly exitStatus?: number;
  readonly exitedAt?: GoogleTimestampInput;
}

export interface Process {
  readonly containerId: string;
  readonly id: string;
  readonly pid: number;
  readonly status: 'UNKNOWN' | 'CREATED' | 'RUNNING' | 'STOPPED' | 'PAUSED' | 'PAUSING';
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly terminal: boolean;
  readonly exitStatus: number;
  readonly exitedAt: GoogleTimestamp | null;
}

export interface ProcessInput {
  readonly containerId?: string;
  readonly id?: string;
  readonly pid?: number;
  readonly status?: 'UNKNOWN' | 'CREATED' | 'RUNNING' | 'STOPPED' | 'PAUSED' | 'PAUSING';
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly terminal?: boolean;
  readonly exitStatus?: number;
  readonly exitedAt?: GoogleTimestampInput;
}

export interface ProcessInfo {
  readonly pid: number;
  readonly info: GoogleAny | null;
}

export interface ProcessInfoInput {
  readonly pid?: number;
  readonly info?: GoogleAnyInput;
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

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export const tasksServiceName = 'containerd.services.tasks.v1.Tasks';

export interface TasksMethods {
  readonly Create: MethodDefinition<CreateTaskRequestInput, CreateTaskResponse>;
  readonly Start: MethodDefinition<StartRequestInput, StartResponse>;
  readonly Delete: MethodDefinition<DeleteTaskRequestInput, DeleteResponse>;
  readonly DeleteProcess: MethodDefinition<DeleteProcessRequestInput, DeleteResponse>;
  readonly Get: MethodDefinition<GetRequestInput, GetResponse>;
  readonly List: MethodDefinition<ListTasksRequestInput, ListTasksResponse>;
  readonly Kill: MethodDefinition<KillRequestInput, GoogleEmpty>;
  readonly Exec: MethodDefinition<ExecProcessRequestInput, GoogleEmpty>;
  readonly ResizePty: MethodDefinition<ResizePtyRequestInput, GoogleEmpty>;
  readonly CloseIO: MethodDefinition<CloseIORequestInput, GoogleEmpty>;
  readonly Pause: MethodDefinition<PauseTaskRequestInput, GoogleEmpty>;
  readonly Resume: MethodDefinition<ResumeTaskRequestInput, GoogleEmpty>;
  readonly ListPids: MethodDefinition<ListPidsRequestInput, ListPidsResponse>;
  readonly Update: MethodDefinition<UpdateTaskRequestInput, GoogleEmpty>;
  readonly Metrics: MethodDefinition<MetricsRequestInput, MetricsResponse>;
  readonly Wait: MethodDefinition<WaitRequestInput, WaitResponse>;
}
