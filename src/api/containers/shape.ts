import type { ContainerInspect } from '../../wire/container-inspect.ts';
import type { EndpointSettings } from '../../wire/networking-config.ts';
import { isAtLeast, type ApiVersion } from '../http/api-version.ts';

const PREDEFINED = ['bridge', 'host', 'none'];

/** The inspection as this API version has it: before 1.45 a user network's aliases held the short id too. */
export function shapeInspect(container: ContainerInspect, version: ApiVersion): ContainerInspect {
  if (isAtLeast(version, '1.45')) return container;
  const { NetworkSettings: settings } = container;
  const networks = Object.entries(settings.Networks).map(([name, endpoint]): [string, EndpointSettings] => [
    name,
    PREDEFINED.includes(name) ? endpoint : withShortId(endpoint, container.Id.slice(0, 12)),
  ]);
  return { ...container, NetworkSettings: { ...settings, Networks: Object.fromEntries(networks) } };
}

function withShortId(endpoint: EndpointSettings, shortId: string): EndpointSettings {
  // From its first start on.
  if (endpoint.NetworkID === '') return endpoint;
  return { ...endpoint, Aliases: [...new Set([...(endpoint.Aliases ?? []), shortId])] };
}
