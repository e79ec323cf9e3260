import { decodeCreate } from '../api/containers/decode-create.ts';
import { MAX_API_VERSION } from '../api/http/api-version.ts';
import type { CreateRequest } from '../wire/create-request.ts';

/** A container as the runner wants it: every default is Docker's, because it comes from the same decoder. */
export function defaultCreateRequest(wanted: {
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
}): CreateRequest {
  const body = {
    Image: wanted.image,
    Cmd: wanted.command,
    Env: wanted.env,
    WorkingDir: wanted.workingDir,
    OpenStdin: true,
    StdinOnce: true,
    HostConfig: { NetworkMode: 'host' },
  };
  return decodeCreate(Buffer.from(JSON.stringify(body)), MAX_API_VERSION).request;
}
