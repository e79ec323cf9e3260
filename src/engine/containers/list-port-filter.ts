import { EngineError } from '../../errors.ts';

/** Ports that a `publish` or `expose` filter asks for. */
export interface WantedPort {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** Reads `80`, `80/udp` or `8000-8010/tcp`; InvalidArgument in dockerd's words. */
export function parsePortFilter(filter: 'publish' | 'expose', value: string): WantedPort {
  const [ports = '', protocol = ''] = value.split('/', 2);
  const fail = (reason: string): EngineError =>
    new EngineError('InvalidArgument', `error while looking up for ${filter} ${value}: ${reason}`);
  if (ports === '') throw fail('empty string specified for ports.');
  const parse = (text: string): number => {
    const quoted = `strconv.ParseUint: parsing ${JSON.stringify(text)}`;
    if (!/^\d+$/.test(text)) throw fail(`${quoted}: invalid syntax`);
    if (Number(text) > 65_535) throw fail(`${quoted}: value out of range`);
    return Number(text);
  };
  const dash = ports.indexOf('-');
  const first = parse(dash === -1 ? ports : ports.slice(0, dash));
  const last = dash === -1 ? first : parse(ports.slice(dash + 1));
  if (last < first) throw fail(`invalid range specified for the Port: ${ports}`);
  return { first, last, protocol: protocol.toLowerCase() || 'tcp' };
}
