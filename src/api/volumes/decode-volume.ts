import type { VolumeCreateRequest } from '../../wire/volume.ts';
import { map, object, string, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

const createBody = object<{
  readonly Name: string;
  readonly Driver: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
}>({ Name: string, Driver: string, DriverOpts: map(string), Labels: map(string) });

/** Decodes the body of `POST /volumes/create`, else InvalidArgument. */
export function decodeVolume(body: Uint8Array): VolumeCreateRequest {
  const place: Place = { struct: 'CreateOptions', path: '', ignored: [] };
  const decoded = createBody(parseJsonBody(body), place);
  return {
    name: decoded.Name,
    driver: decoded.Driver,
    driverOpts: decoded.DriverOpts,
    labels: decoded.Labels,
  };
}
