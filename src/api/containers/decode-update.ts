import type { Resources, RestartPolicy } from '../../wire/host-config.ts';
import type { UpdateRequest } from '../../wire/update-request.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';
import { int64, object, string, type Decoded, type Place } from '../http/decode.ts';
import { parseJsonBody } from '../http/strict-json.ts';
import { resourceFields } from './decode-resources.ts';
import { soundsElevating } from './elevating-names.ts';

type UpdateBody = Resources & { readonly RestartPolicy: RestartPolicy };

const updateBody = object<UpdateBody>(
  {
    ...resourceFields,
    RestartPolicy: object<RestartPolicy>({ Name: string, MaximumRetryCount: int64 }),
  },
  { isRefused: soundsElevating },
);

/** Decodes the body of `POST /containers/{id}/update` as dockerd of that API version does, else InvalidArgument. */
export function decodeUpdate(body: Uint8Array, version: ApiVersion): Decoded<UpdateRequest> {
  const place: Place = { struct: 'UpdateConfig', path: '', ignored: [] };
  const { RestartPolicy: restartPolicy, ...resources } = updateBody(parseJsonBody(body), place);
  const { MemorySwappiness: swappiness } = resources;
  return {
    // The CLI's -1 says "not asked".
    request: {
      resources: {
        ...resources,
        MemorySwappiness: swappiness === -1 ? null : swappiness,
        PidsLimit: isAtLeast(version, '1.40') ? resources.PidsLimit : null,
      },
      restartPolicy,
    },
    ignored: place.ignored,
  };
}
