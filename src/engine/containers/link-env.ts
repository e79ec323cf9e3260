import type { Container } from '../../state/container.ts';
import type { LiveLink } from './container-links.ts';
import { withProtocol } from './port-requests.ts';

/** Runs of fewer ports have no names of their own. */
const SHORTEST_RUN = 3;
const NOT_TOLD = ['HOME', 'PATH'];

interface ExposedPort {
  readonly number: number;
  readonly protocol: string;
}

/** The variables that a link gives to a container, as dockerd names them. */
export function linkEnv(containerName: string, link: LiveLink): readonly string[] {
  const prefix = link.alias.toUpperCase().replaceAll('-', '_');
  const { ipAddress: address } = link;
  const ports = exposedPorts(link.target);
  const url = ({ number, protocol }: ExposedPort): string => `${protocol}://${address}:${number}`;
  const keyOf = ({ number, protocol }: ExposedPort): string =>
    `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
  const [first] = ports;
  const runs = runsOf(ports).flatMap(({ from, to }) => {
    const key = keyOf(from);
    return [
      [`${key}_START`, url(from)],
      [`${key}_ADDR`, address],
      [`${key}_PROTO`, from.protocol],
      [`${key}_PORT_START`, String(from.number)],
      [`${key}_END`, url(to)],
      [`${key}_PORT_END`, String(to.number)],
    ];
  });
  const each = ports.flatMap((port) => [
    [keyOf(port), url(port)],
    [`${keyOf(port)}_ADDR`, address],
    [`${keyOf(port)}_PORT`, String(port.number)],
    [`${keyOf(port)}_PROTO`, port.protocol],
  ]);
  const entries = [
    ...(first ? [[`${prefix}_PORT`, url(first)]] : []),
    ...runs,
    ...each,
    [`${prefix}_NAME`, `/${containerName}/${link.alias}`],
  ];
  const variables = new Map(entries.map(([name = '', value = '']) => [name, value]));
  return [...[...variables].map(([name, value]) => `${name}=${value}`), ...ownVariables(prefix, link.target)];
}

function ownVariables(prefix: string, { record }: Container): readonly string[] {
  return (record.config.Env ?? []).flatMap((entry) => {
    const [name = ''] = entry.split('=', 1);
    return !entry.includes('=') || name === '' || NOT_TOLD.includes(name) ? [] : [`${prefix}_ENV_${entry}`];
  });
}

function exposedPorts({ record: { config, hostConfig } }: Container): readonly ExposedPort[] {
  const names = [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings)];
  return [...new Set(names.map(withProtocol))]
    .map((name) => {
      const [number = '', protocol = ''] = name.split('/', 2);
      return { number: Number(number), protocol };
    })
    .sort((a, b) => a.number - b.number || (a.protocol < b.protocol ? -1 : 1));
}

function runsOf(
  ports: readonly ExposedPort[],
): readonly { readonly from: ExposedPort; readonly to: ExposedPort }[] {
  const runs: ExposedPort[][] = [];
  for (const port of ports) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run && last?.protocol === port.protocol && last.number + 1 === port.number) run.push(port);
    else runs.push([port]);
  }
  return runs.flatMap((run) => {
    const [from] = run;
    const to = run.at(-1);
    return from && to && run.length >= SHORTEST_RUN ? [{ from, to }] : [];
  });
}
