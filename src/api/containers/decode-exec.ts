import { ShapeError } from '../../errors.ts';
import type { ExecRequest } from '../../wire/exec-request.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import {
  bool,
  list,
  object,
  string,
  stringOrList,
  type Decoded,
  type Decoder,
  type Place,
} from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';
import { consoleSize } from './decode-host-config.ts';
import { soundsElevating } from './elevating-names.ts';

interface ExecBody {
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Cmd: readonly string[] | null;
  readonly ConsoleSize: readonly [height: number, width: number] | undefined;
  readonly Detach: boolean;
  readonly DetachKeys: string;
  /** docker-py's spelling, which dockerd takes too. */
  readonly detachKeys: string;
  readonly Env: readonly string[] | null;
  readonly Privileged: boolean;
  readonly Tty: boolean;
  readonly User: string;
  readonly WorkingDir: string;
}

const execBody: Decoder<ExecBody> = object<ExecBody>(
  {
    AttachStdin: bool,
    AttachStdout: bool,
    AttachStderr: bool,
    Cmd: stringOrList,
    ConsoleSize: (value, place) =>
      value === undefined || value === null ? undefined : consoleSize(value, place),
    Detach: bool,
    DetachKeys: string,
    detachKeys: string,
    Env: list(string),
    Privileged: bool,
    Tty: bool,
    User: string,
    WorkingDir: string,
  },
  // Old clients name the container a second time.
  { isRefused: soundsElevating, knownElsewhere: ['Container', 'container'] },
);

/** Decodes the body of `POST /containers/{id}/exec`, else InvalidArgument. */
export function decodeExec(body: Uint8Array, version: ApiVersion): Decoded<ExecRequest> {
  const place: Place = { struct: 'ExecOptions', path: '', ignored: [] };
  const decoded = execBody(parseJsonBody(body), place);
  const argv = decoded.Cmd ?? [];
  if (argv.length === 0 || (argv.length === 1 && argv[0] === '')) {
    throw new ShapeError('No exec command specified');
  }
  return {
    request: {
      argv,
      env: decoded.Env ?? [],
      user: decoded.User,
      workingDir: decoded.WorkingDir,
      tty: decoded.Tty,
      attachStdin: decoded.AttachStdin,
      attachStdout: decoded.AttachStdout,
      attachStderr: decoded.AttachStderr,
      detachKeys: decoded.DetachKeys || decoded.detachKeys,
      privileged: decoded.Privileged,
      consoleSize: isAtLeast(version, '1.42') ? decoded.ConsoleSize : undefined,
    },
    ignored: place.ignored,
  };
}
