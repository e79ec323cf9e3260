import type { CreateRequest } from '../wire/create-request.ts';
import { parseBind } from './bind-spec.ts';

/** True for the one driver of volumes that there is. */
export function isLocalDriver(driver: string): boolean {
  return driver === '' || driver === 'local';
}

/** True where a volume is to be made, or mounted, by the request's own driver; its image may have more of them. */
export function asksForVolume({ config, hostConfig }: CreateRequest): boolean {
  const isNamed = (hostConfig.Binds ?? []).some((text) => parseBind(text)?.source.startsWith('/') !== true);
  return isNamed || Object.keys(config.Volumes ?? {}).length > 0;
}
