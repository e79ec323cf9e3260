import { ShapeError } from '../../errors.ts';
import { parseReference, type ImageReference } from '../../oci/reference.ts';
import { admitLogin } from '../../policy/admit-requests.ts';
import type { LoginRequest } from '../../wire/login-request.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import type { Job } from '../job.ts';

const DOCKER_HUB = 'docker.io';
// The address that clients keep Docker Hub's credentials under.
const DOCKER_HUB_INDEX = 'index.docker.io';

/** `docker login`: a real check at the registry; nothing is kept. */
export async function loginRegistry(job: Job, request: LoginRequest, signal: AbortSignal): Promise<void> {
  admitLogin(request, auditedGate(job, gateContextOf(job), { verb: 'login' }));
  const { username, password, identitytoken: identityToken, registrytoken: registryToken } = request;
  await job.registry.login({
    domain: registryOf(request.serveraddress),
    credentials: { username, password, identityToken, registryToken },
    signal: AbortSignal.any([signal, job.signal]),
  });
}

/** The host of a registry's address, which may come with a scheme and a path; no other scheme is one of a registry. */
export function registryOf(address: string): string {
  if (address === '') return DOCKER_HUB;
  const [, host = ''] = /^(?:https?:\/\/)?([^/?#@]+)(?:\/[^@]*)?$/i.exec(address) ?? [];
  if (host === DOCKER_HUB_INDEX || host === DOCKER_HUB) return DOCKER_HUB;
  // What can stand before an image's name, and nothing else, is a registry.
  const { domain } = parseHost(host, address);
  if (domain !== host) throw invalid(address);
  return domain;
}

function parseHost(host: string, address: string): ImageReference {
  try {
    return parseReference(`${host}/name`);
  } catch (cause) {
    throw invalid(address, cause);
  }
}

// An address may have come with a password in it.
function invalid(address: string, cause?: unknown): ShapeError {
  const shown = JSON.stringify(address.replace(/[^/]*@/, '***@').slice(0, 200));
  return new ShapeError(`invalid registry address ${shown}`, { cause });
}
