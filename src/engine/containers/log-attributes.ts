import type { Container } from '../../state/container.ts';

const SHORT_ID = 12;

/**
 * What each line of a container's log bears by the log options `labels`, `env` and `tag`, as `docker logs --details`
 * shows it: names in order, each part as in a URL. Empty where the options name nothing that the container has.
 */
export function logAttributes(container: Container): string {
  const { config, hostConfig } = container.record;
  const { labels = '', env = '', tag = '' } = hostConfig.LogConfig.Config;
  const variables = new Map((config.Env ?? []).map((one) => splitOnce(one)));
  const attributes = new Map<string, string>();
  for (const [names, values] of [
    [labels, new Map(Object.entries(config.Labels ?? {}))],
    [env, variables],
  ] as const)
    for (const name of names.split(',')) {
      const value = values.get(name);
      if (value !== undefined) attributes.set(name, value);
    }
  if (tag !== '') attributes.set('tag', expandTag(tag, container));
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${escapeQuery(name)}=${escapeQuery(value)}`)
    .join(',');
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** The gate has seen to it that no other field is named. */
function expandTag(tag: string, { id, record }: Container): string {
  const fields: Readonly<Record<string, string>> = {
    ...{ ID: id.slice(0, SHORT_ID), FullID: id, Name: record.name },
    ...{ ImageName: record.config.Image, ImageFullID: record.imageId },
    ...{ ImageID: record.imageId.replace(/^sha256:/, '').slice(0, SHORT_ID), DaemonName: 'docker' },
  };
  return tag.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole);
}

/** As Go's url.QueryEscape. */
function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
