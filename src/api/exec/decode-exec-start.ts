import type { ExecStartRequest } from '../../wire/exec-request.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import { consoleSize } from '../containers/decode-host-config.ts';
import { soundsElevating } from '../containers/elevating-names.ts';
import { bool, object, type Decoded, type Decoder, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

interface RawBody {
  readonly Detach: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize: readonly [height: number, width: number] | undefined;
}

const execStartBody: Decoder<RawBody> = object<RawBody>(
  {
    Detach: bool,
    Tty: bool,
    ConsoleSize: (value, place) =>
      value === undefined || value === null ? undefined : consoleSize(value, place),
  },
  { isRefused: soundsElevating },
);

/** Decodes the body; InvalidArgument for what is none. */
export function decodeExecStart(body: Uint8Array, version: ApiVersion): Decoded<ExecStartRequest> {
  const place: Place = { struct: 'ExecStartOptions', path: '', ignored: [] };
  const decoded = execStartBody(parseJsonBody(body), place);
  const request = {
    detach: decoded.Detach,
    isRaw: decoded.Tty,
    consoleSize: isAtLeast(version, '1.42') ? decoded.ConsoleSize : undefined,
  };
  return { request, ignored: place.ignored };
}
