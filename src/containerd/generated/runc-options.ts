// Made by scripts/generate-protos.ts from proto/runc-options.proto; do not edit.

export interface Options {
  readonly noPivotRoot: boolean;
  readonly noNewKeyring: boolean;
  readonly shimCgroup: string;
  readonly ioUid: number;
  readonly ioGid: number;
  readonly binaryName: string;
  readonly root: string;
  readonly systemdCgroup: boolean;
}

export interface OptionsInput {
  readonly noPivotRoot?: boolean;
  readonly noNewKeyring?: boolean;
  readonly shimCgroup?: string;
  readonly ioUid?: number;
  readonly ioGid?: number;
  readonly binaryName?: string;
  readonly root?: string;
  readonly systemdCgroup?: boolean;
}
