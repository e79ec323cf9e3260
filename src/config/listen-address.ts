import { isIP } from 'node:net';
import { EngineError } from '../errors.ts';
import type { ListenAddress } from './schema.ts';

const MAX_PORT = 65_535;

/** Reads `tcp://ADDRESS:PORT`, an IPv6 address in brackets. InvalidArgument for all that is not one address. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ''] =
    /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (isIP(host) !== (bracketed === undefined ? 4 : 6) || port > MAX_PORT)
    throw new EngineError('InvalidArgument', `listen is tcp://ADDRESS:PORT, not "${text}"`);
  if (/^[0.:]+$/.test(host))
    throw new EngineError(
      'InvalidArgument',
      `listen needs the address that clients connect to, not "${host}": the certificate is made for it`,
    );
  return { host, port };
}
