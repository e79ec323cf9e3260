import type { BuildSession } from '../../buildkit/types.ts';
import type { RegistryCredentials } from '../../registry/types.ts';

// Clients file their login for Docker's own registry under this name.
const HUB = 'https://index.docker.io/v1/';

/** The login that the client of a build has for a registry, or undefined. */
export async function loginOf(
  session: BuildSession,
  domain: string,
): Promise<RegistryCredentials | undefined> {
  const login = await session.findCredentials(domain === 'docker.io' ? HUB : domain);
  if (!login) return undefined;
  const { username, secret } = login;
  // Without a name the secret is a token to be exchanged.
  return username === ''
    ? { username: '', password: '', identityToken: secret, registryToken: '' }
    : { username, password: secret, identityToken: '', registryToken: '' };
}
