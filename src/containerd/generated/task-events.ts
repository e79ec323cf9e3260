// Made by scripts/generate-protos.ts from proto/task-events.proto; do not edit.

export interface TaskExit {
  readonly containerId: string;
  readonly id: string;
  readonly pid: number;
  readonly exitStatus: number;
  readonly exitedAt: GoogleTimestamp | null;
}

export interface TaskExitInput {
  readonly containerId?: string;
  readonly id?: string;
  readonly pid?: number;
  readonly exitStatus?: number;
  readonly exitedAt?: GoogleTimestampInput;
}

export interface TaskOOM {
  readonly containerId: string;
}

export interface TaskOOMInput {
  readonly containerId?: string;
}

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}
