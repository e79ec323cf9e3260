// Made by scripts/generate-protos.ts from proto/events.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface PublishRequest {
  readonly topic: string;
  readonly event: GoogleAny | null;
}

export interface PublishRequestInput {
  readonly topic?: string;
  readonly event?: GoogleAnyInput;
}

export interface SubscribeRequest {
  readonly filters: readonly string[];
}

export interface SubscribeRequestInput {
  readonly filters?: readonly string[];
}

export interface Envelope {
  readonly timestamp: GoogleTimestamp | null;
  readonly namespace: string;
  readonly topic: string;
  readonly event: GoogleAny | null;
}

export interface EnvelopeInput {
  readonly timestamp?: GoogleTimestampInput;
  readonly namespace?: string;
  readonly topic?: string;
  readonly event?: GoogleAnyInput;
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

export const eventsServiceName = 'containerd.services.events.v1.Events';

export interface EventsMethods {
  readonly Publish: MethodDefinition<PublishRequestInput, GoogleEmpty>;
  readonly Subscribe: MethodDefinition<SubscribeRequestInput, Envelope>;
}
