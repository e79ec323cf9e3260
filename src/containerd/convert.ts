import type { Any, Descriptor, Mount } from './types-core.ts';

interface RawTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

interface RawAny {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** The time, or undefined where containerd sends none or Go's zero time. */
export function toOptionalDate(timestamp: RawTimestamp | null): Date | undefined {
  if (!timestamp || timestamp.seconds <= 0) return undefined;
  return new Date(timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1e6));
}

/** The time, or the epoch where containerd sends none. */
export function toDate(timestamp: RawTimestamp | null): Date {
  return toOptionalDate(timestamp) ?? new Date(0);
}

/** An Any, empty where containerd sends none. */
export function toAny(raw: RawAny | null): Any {
  return raw ? { typeUrl: raw.type_url, value: raw.value } : { typeUrl: '', value: new Uint8Array() };
}

/** An Any as protobuf has it. */
export function fromAny(any: Any): RawAny {
  return { type_url: any.typeUrl, value: any.value };
}

/** A descriptor, empty where containerd sends none. */
export function toDescriptor(raw: Descriptor | null): Descriptor {
  if (!raw) return { mediaType: '', digest: '', size: 0, annotations: {} };
  const { mediaType, digest, size, annotations } = raw;
  return { mediaType, digest, size, annotations };
}

/** Mounts without the fields of newer servers. */
export function toMounts(raw: readonly Mount[]): readonly Mount[] {
  return raw.map(({ type, source, target, options }) => ({ type, source, target, options }));
}

/** Field paths that set or remove just these labels. */
export function labelPaths(labels: Readonly<Record<string, string>>): { readonly paths: readonly string[] } {
  return { paths: Object.keys(labels).map((key) => `labels.${key}`) };
}

/** The message, or an error where a server left out what the API promises. */
export function required<T>(message: T | null, name: string): T {
  if (message === null) throw new Error(`containerd answered without ${name}`);
  return message;
}
