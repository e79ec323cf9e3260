import { EngineError } from '../errors.ts';
import { answerChallenge, parseChallenges } from './auth.ts';
import { isPlainHttpHint } from './errors.ts';
import type { HostParts } from './host-requests.ts';
import type { RegistryHost } from './hosts.ts';
import type { HttpAnswer } from './http-client.ts';
import type { RegistryLogin } from './types.ts';

/** Shows the credentials to the registry itself, in the way it asks for them. */
export async function checkLogin(parts: HostParts, login: RegistryLogin): Promise<void> {
  const hosts = await parts.findHosts(login.domain);
  const host = hosts.find(({ isOrigin }) => isOrigin);
  if (!host) throw new EngineError('NotFound', `no host of ${login.domain} is configured`);
  for (const [index, baseUrl] of host.baseUrls.entries()) {
    try {
      await checkAt(parts, login, { host, baseUrl });
      return;
    } catch (error) {
      if (index === host.baseUrls.length - 1 || !isPlainHttpHint(error)) throw error;
    }
  }
}

interface Place {
  readonly host: RegistryHost;
  readonly baseUrl: URL;
}

async function checkAt(parts: HostParts, login: RegistryLogin, place: Place): Promise<void> {
  const ask = (authorization: Readonly<Record<string, string>>): Promise<HttpAnswer> =>
    parts.client.send({
      method: 'GET',
      url: new URL(`${place.baseUrl.href.replace(/\/+$/, '')}/`),
      headers: { ...place.host.headers, ...authorization },
      tls: place.host.tls,
      signal: login.signal,
    });
  const first = await ask({});
  first.body.destroy();
  if (first.status === 200) return;
  const { host, baseUrl } = place;
  if (first.status !== 401) throw refused(baseUrl, first.status);
  const challenges = parseChallenges(first.header('www-authenticate'));
  const authorization = await answerChallenge(parts.client, challenges, {
    registryUrl: baseUrl,
    scope: '',
    familiarName: login.domain,
    credentials: login.credentials,
    tls: host.tls,
    signal: login.signal,
  });
  const second = await ask({ authorization });
  second.body.destroy();
  if (second.status !== 200) throw refused(baseUrl, second.status);
}

function refused(baseUrl: URL, status: number): EngineError {
  const message = `login attempt to ${baseUrl.origin}/v2/ failed with status: ${status}`;
  return status === 401 || status === 403
    ? new EngineError('Unauthenticated', message)
    : new EngineError('Unavailable', message);
}
