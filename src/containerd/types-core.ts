/** A typed blob as in google.protobuf.Any; containerd stores JSON or protobuf in `value`, told apart by `typeUrl`. */
export interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** One mount(2) as containerd describes it; `target` is relative to the rootfs and mostly empty. */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly options: readonly string[];
}

/** An OCI descriptor. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** String labels as containerd keeps them on every kind of object; key and value together are limited to 4096 bytes. */
export type Labels = Readonly<Record<string, string>>;
