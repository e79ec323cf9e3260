import type { VolumeCreateRequest } from '../../wire/volume.ts';
import { soundsElevating } from '../containers/elevating-names.ts';
import { map, object, string, type Decoded, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';

const createBody = object<{
  readonly Name: string;
  readonly Driver: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ClusterVolumeSpec: boolean;
}>(
  {
    Name: string,
    Driver: string,
    DriverOpts: map(string),
    Labels: map(string),
    ClusterVolumeSpec: (value) => value !== undefined && value !== null,
  },
  // Where a volume lies is told, never asked for; clients that send an inspected volume back have it in their body.
  { isRefused: (name) => name !== 'Mountpoint' && soundsElevating(name) },
);

/** Decodes the body of `POST /volumes/create`, else InvalidArgument. */
export function decodeVolume(body: Uint8Array): Decoded<VolumeCreateRequest> {
  const place: Place = { struct: 'CreateOptions', path: '', ignored: [] };
  const decoded = createBody(parseJsonBody(body), place);
  const request = {
    name: decoded.Name,
    driver: decoded.Driver,
    driverOpts: decoded.DriverOpts,
    labels: decoded.Labels,
    clusterVolumeSpec: decoded.ClusterVolumeSpec,
  };
  return { request, ignored: place.ignored };
}
