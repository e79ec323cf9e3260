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
