// Made by scripts/generate-protos.ts from proto/images.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Image {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: Descriptor | null;
  readonly createdAt: GoogleTimestamp | null;
  readonly updatedAt: GoogleTimestamp | null;
}

export interface ImageInput {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly target?: DescriptorInput;
  readonly createdAt?: GoogleTimestampInput;
  readonly updatedAt?: GoogleTimestampInput;
}

export interface GetImageRequest {
  readonly name: string;
}

export interface GetImageRequestInput {
  readonly name?: string;
}

export interface GetImageResponse {
  readonly image: Image | null;
}

export interface GetImageResponseInput {
  readonly image?: ImageInput;
}

export interface ListImagesRequest {
  readonly filters: readonly string[];
}

export interface ListImagesRequestInput {
  readonly filters?: readonly string[];
}

export interface ListImagesResponse {
  readonly images: readonly Image[];
}

export interface ListImagesResponseInput {
  readonly images?: readonly ImageInput[];
}

export interface CreateImageRequest {
  readonly image: Image | null;
}

export interface CreateImageRequestInput {
  readonly image?: ImageInput;
}

export interface CreateImageResponse {
  readonly image: Image | null;
}

export interface CreateImageResponseInput {
  readonly image?: ImageInput;
}

export interface UpdateImageRequest {
  readonly image: Image | null;
  readonly updateMask: GoogleFieldMask | null;
}

export interface UpdateImageRequestInput {
  readonly image?: ImageInput;
  readonly updateMask?: GoogleFieldMaskInput;
}

export interface UpdateImageResponse {
  readonly image: Image | null;
}

export interface UpdateImageResponseInput {
  readonly image?: ImageInput;
}

export interface DeleteImageRequest {
  readonly name: string;
  readonly sync: boolean;
}

export interface DeleteImageRequestInput {
  readonly name?: string;
  readonly sync?: boolean;
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

export type GoogleEmpty = Readonly<Record<string, never>>;
export type GoogleEmptyInput = GoogleEmpty;

export interface GoogleFieldMask {
  readonly paths: readonly string[];
}

export interface GoogleFieldMaskInput {
  readonly paths?: readonly string[];
}

export interface GoogleTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface GoogleTimestampInput {
  readonly seconds?: number;
  readonly nanos?: number;
}

export interface GoogleAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

export interface GoogleAnyInput {
  readonly type_url?: string;
  readonly value?: Uint8Array;
}

export const imagesServiceName = 'containerd.services.images.v1.Images';

export interface ImagesMethods {
  readonly Get: MethodDefinition<GetImageRequestInput, GetImageResponse>;
  readonly List: MethodDefinition<ListImagesRequestInput, ListImagesResponse>;
  readonly Create: MethodDefinition<CreateImageRequestInput, CreateImageResponse>;
  readonly Update: MethodDefinition<UpdateImageRequestInput, UpdateImageResponse>;
  readonly Delete: MethodDefinition<DeleteImageRequestInput, GoogleEmpty>;
}
