/** The value of Go's `map[string]struct{}`: `{}` in JSON. */
export type EmptyObject = Readonly<Record<string, never>>;

/** How a container's health is probed; durations are nanoseconds, 0 stands for the daemon's default. */
export interface HealthConfig {
  /** `[]` inherits, `["NONE"]` disables, `["CMD", …]` and `["CMD-SHELL", line]` run. */
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** The portable half of a container's configuration; optional members are those that dockerd omits when empty. */
export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  /** Keys are `port/proto`. */
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>>;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  /** `NAME=value`; an entry without `=` takes the variable out of what the image set. */
  readonly Env: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly Healthcheck?: HealthConfig;
  readonly ArgsEscaped?: boolean;
  readonly Image: string;
  /** Keys are mount points of anonymous volumes. */
  readonly Volumes: Readonly<Record<string, EmptyObject>> | null;
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[] | null;
  readonly NetworkDisabled?: boolean;
  readonly MacAddress?: string;
  readonly OnBuild: readonly string[] | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  /** Seconds; -1 waits for ever. */
  readonly StopTimeout?: number;
  readonly Shell?: readonly string[];
}
