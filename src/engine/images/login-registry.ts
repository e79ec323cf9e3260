import { EngineError } from '../../errors.ts';
import { parseReference, type ImageReference } from '../../oci/reference.ts';
import type { RegistryCredentials } from '../../registry/types.ts';
import type { Job } from '../job.ts';

const DOCKER_HUB = 'docker.io';
// The address that clients keep Docker Hub's credentials under.
const DOCKER_HUB_INDEX = 'index.docker.io';

/** `docker login`: a real check at the registry; nothing is kept. */
export async function loginRegistry(
  job: Pick<Job, 'registry' | 'signal'>,
  login: {
    readonly serverAddress: string;
    readonly credentials: RegistryCredentials;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { credentials } = login;
  await job.registry.login({
    domain: domainOf(login.serverAddress),
    credentials,
    signal: AbortSignal.any([login.signal, job.signal]),
  });
}

/** The host of a registry's address, which may come with a scheme and a path; no other scheme is one of a registry. */
function domainOf(address: string): string {
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
function invalid(address: string, cause?: unknown): EngineError {
  const shown = JSON.stringify(address.replace(/[^/]*@/, '***@').slice(0, 200));
  return new EngineError('InvalidArgument', `invalid registry address ${shown}`, { cause });
}
