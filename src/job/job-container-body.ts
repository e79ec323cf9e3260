import { integer, object, optional, string } from '../api/http/decode.ts';
import { parseJsonBody } from '../api/http/strict-json.ts';
import type { JobContainerRef } from '../engine/mounts/register-job-container.ts';
import { EngineError } from '../errors.ts';

const MAX_PID = 2 ** 31 - 1;

const body = object<{
  readonly namespace: string | undefined;
  readonly id: string | undefined;
  readonly pid: number | undefined;
}>({
  namespace: optional(string),
  id: optional(string),
  pid: optional(integer('int32', 1, MAX_PID)),
});

/** The body of `PUT /_berth/job-container`: a containerd container or a pid, not both. InvalidArgument else. */
export function decodeJobContainer(bytes: Uint8Array): JobContainerRef {
  const place = { struct: 'JobContainer', path: '', ignored: [] as string[] };
  const { namespace, id, pid } = body(parseJsonBody(bytes), place);
  const [unknown] = place.ignored;
  if (unknown !== undefined)
    throw new EngineError('InvalidArgument', `unknown field ${JSON.stringify(unknown)}`);
  if (pid !== undefined && namespace === undefined && id === undefined) return { pid };
  if (pid === undefined && namespace !== undefined && id !== undefined) return { namespace, id };
  throw new EngineError(
    'InvalidArgument',
    'the job container is named by {"namespace": …, "id": …} of containerd, or by {"pid": …}',
  );
}
