/** The body of `POST /exec/{id}/start`, decoded. */
export interface ExecStartRequest {
  readonly detach: boolean;
  /** Whether the client wants the output as it is; the terminal itself was settled when the exec was created. */
  readonly isRaw: boolean;
  readonly consoleSize: readonly [height: number, width: number] | undefined;
}

/** The body of `POST /containers/{id}/exec`, decoded. */
export interface ExecRequest {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string;
  readonly privileged: boolean;
  readonly consoleSize: readonly [height: number, width: number] | undefined;
}
