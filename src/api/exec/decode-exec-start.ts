import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import { consoleSize } from '../containers/decode-host-config.ts';
import { bool, object, type Decoder, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

/** The body of `POST /exec/{id}/start`, decoded. */
export interface ExecStartBody {
  readonly detach: boolean;
  /** Whether the client wants the output as it is; the terminal itself was settled when the exec was created. */
  readonly isRaw: boolean;
  readonly consoleSize: readonly [height: number, width: number] | undefined;
}

interface RawBody {
  readonly Detach: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize: readonly [height: number, width: number] | undefined;
}

const execStartBody: Decoder<RawBody> = object<RawBody>({
  Detach: bool,
  Tty: bool,
  ConsoleSize: (value, place) =>
    value === undefined || value === null ? undefined : consoleSize(value, place),
});

/** Decodes the body; InvalidArgument for what is none. */
export function decodeExecStart(body: Uint8Array, version: ApiVersion): ExecStartBody {
  const place: Place = { struct: 'ExecStartOptions', path: '', ignored: [] };
  const decoded = execStartBody(parseJsonBody(body), place);
  return {
    detach: decoded.Detach,
    isRaw: decoded.Tty,
    consoleSize: isAtLeast(version, '1.42') ? decoded.ConsoleSize : undefined,
  };
}
