// Made by scripts/generate-protos.ts from proto/buildkit/filesync.proto; do not edit.

import type { MethodDefinition } from '@grpc/grpc-js';

export interface Packet {
  readonly type: 'PACKET_STAT' | 'PACKET_REQ' | 'PACKET_DATA' | 'PACKET_FIN' | 'PACKET_ERR';
  readonly stat: Stat | null;
  readonly ID: number;
  readonly data: Uint8Array;
}

export interface PacketInput {
  readonly type?: 'PACKET_STAT' | 'PACKET_REQ' | 'PACKET_DATA' | 'PACKET_FIN' | 'PACKET_ERR';
  readonly stat?: StatInput;
  readonly ID?: number;
  readonly data?: Uint8Array;
}

export interface Stat {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly modTime: number;
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: Readonly<Record<string, Uint8Array>>;
}

export interface StatInput {
  readonly path?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly modTime?: number;
  readonly linkname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

export const filesyncServiceName = 'moby.filesync.v1.FileSync';

export interface FileSyncMethods {
  readonly DiffCopy: MethodDefinition<PacketInput, Packet>;
}
