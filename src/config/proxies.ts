import { EngineError } from '../errors.ts';

/** Through whom registries are spoken to, as the environment variables of most programs say it. */
export interface ProxySettings {
  /** For `http://` addresses; with credentials, if it takes some. */
  readonly http: URL | undefined;
  /** For `https://` addresses. */
  readonly https: URL | undefined;
  /** What is spoken to directly: hosts, `.domain`, addresses, CIDR blocks, `*`; each perhaps with a port. */
  readonly exempt: readonly string[];
}

/** Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY in either spelling; InvalidArgument, which does not repeat it, for what is no proxy. */
export function proxySettings(environment: NodeJS.ProcessEnv): ProxySettings {
  const read = (name: string): string =>
    [environment[name], environment[name.toLowerCase()]].find((value) => (value ?? '') !== '') ?? '';
  return {
    http: proxyUrl('HTTP_PROXY', read('HTTP_PROXY')),
    https: proxyUrl('HTTPS_PROXY', read('HTTPS_PROXY')),
    exempt: read('NO_PROXY')
      .split(',')
      .map((entry) => entry.trim().toLowerCase())
      .filter((entry) => entry !== ''),
  };
}

function proxyUrl(name: string, text: string): URL | undefined {
  if (text === '') return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  // It may have a password in it.
  throw new EngineError('InvalidArgument', `${name} is not the address of an http or https proxy`);
}
