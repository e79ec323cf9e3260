import type { Request, RequestTable } from '../request.ts';

const GOOD: readonly object[] = [
  { Driver: 'bridge' },
  { CheckDuplicate: true, Labels: { a: 'b' } },
  { Internal: true, Attachable: true },
  { IPAM: { Driver: 'default', Config: [{ Subnet: '172.30.0.0/16' }] } },
  {
    IPAM: {
      Config: [
        {
          Subnet: '172.30.0.0/16',
          IPRange: '172.30.5.0/24',
          Gateway: '172.30.5.1',
          AuxiliaryAddresses: { x: '172.30.5.9' },
        },
      ],
    },
  },
  { IPAM: { Driver: 'default', Options: {}, Config: [] } },
  { IPAM: { Config: [{ Subnet: '2001:389::/64', Gateway: '2001:389::ffff' }] } },
  { EnableIPv6: true, IPAM: { Config: [{ Subnet: '2001:389::/64' }] } },
  { Options: { 'com.docker.network.driver.mtu': '1400' } },
  { Options: { 'com.docker.network.bridge.enable_icc': 'true' } },
];

const BAD: readonly object[] = [
  { Name: '' },
  { Name: 'bad name' },
  { Name: 'bridge' },
  { Name: 'host' },
  { Name: 'none' },
  { Name: 'default' },
  { Driver: 'host' },
  { Driver: 'null' },
  { Driver: 'overlay' },
  { IPAM: { Config: [{ Subnet: 'x' }] } },
  { IPAM: { Config: [{ Subnet: '172.30.0.0/16' }, { Subnet: '172.30.0.0/16' }] } },
  { IPAM: { Config: [{ Subnet: '172.17.0.0/16' }] } },
  { IPAM: { Config: [{ Subnet: '172.30.0.0/16', Gateway: '10.0.0.1' }] } },
  { IPAM: { Config: [{ Subnet: '172.30.0.0/16', IPRange: '10.0.0.0/24' }] } },
  { IPAM: { Config: [{ Gateway: '172.30.0.1' }] } },
  { IPAM: { Config: [{ Subnet: '10.90.0.0/16', Gateway: '10.90.0.0' }] } },
  { IPAM: { Config: [{ Subnet: '10.91.0.0/16', AuxiliaryAddresses: { x: '10.91.0.1' } }] } },
  { Scope: 'swarm' },
  { ConfigFrom: { Network: 'nope' } },
  { Options: { 'com.docker.network.driver.mtu': 'x' } },
  { Options: { 'com.docker.network.bridge.enable_icc': 'maybe' } },
  { Options: { 'com.docker.network.bridge.host_binding_ipv4': 'nope' } },
];

const CONFIGURED: readonly object[] = [
  { ConfigOnly: true, Internal: true },
  { ConfigOnly: true, Attachable: true },
  { ConfigOnly: true, Ingress: true },
  { ConfigOnly: true, Scope: 'local' },
  { ConfigOnly: true, IPAM: { Config: [{ Subnet: 'x' }] } },
  { ConfigOnly: true, ConfigFrom: { Network: 'conf' } },
  { ConfigFrom: { Network: 'bridge' } },
  { ConfigFrom: { Network: '{conf}' } },
  { ConfigFrom: { Network: 'conf' }, Labels: { a: 'b' } },
  { ConfigFrom: { Network: 'conf' }, EnableIPv6: true },
  { ConfigFrom: { Network: 'conf' }, IPAM: { Config: [{ Subnet: '172.31.0.0/16' }] } },
  { ConfigFrom: { Network: 'conf' }, Options: { 'com.docker.network.driver.mtu': '1300' } },
];

// dockerd 20.10 never gives back the addresses of a network that it then refuses: each has a subnet of its own.
const subnet = (text: string): object => ({ IPAM: { Config: [{ Subnet: text }] } });

/** Networks that are nothing but a configuration, and networks made from them. */
const CONFIGURATIONS: readonly Request[] = [
  {
    ask: 'POST /networks/create',
    json: {
      Name: 'conf',
      ConfigOnly: true,
      Driver: 'nope',
      IPAM: { Config: [{ Subnet: '10.93.0.0/16', Gateway: '10.93.0.9' }] },
      Options: { 'com.docker.network.driver.mtu': '1400' },
      Labels: { a: 'b' },
    },
    keep: { conf: 'Id' },
  },
  { ask: 'GET /networks/conf' },
  ...CONFIGURED.map((body): Request => ({ ask: 'POST /networks/create', json: { Name: 'bad', ...body } })),
  {
    ask: 'POST /networks/create',
    json: { Name: 'from', Internal: true, ConfigFrom: { Network: 'conf' } },
    keep: { from: 'Id' },
  },
  { ask: 'GET /networks/from' },
  { ask: 'POST /networks/create', json: { Name: 'second', ConfigFrom: { Network: 'conf' } } },
  { ask: 'DELETE /networks/conf' },
  { ask: 'GET /networks?configured', filters: { type: ['custom'] }, unordered: true },
  { ask: 'GET /networks?configured', filters: { driver: ['null'] }, unordered: true },
  { ask: 'GET /networks?configured', filters: { dangling: ['true'] }, unordered: true },
  {
    ask: 'POST /containers/create?name=unplaced',
    json: { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'conf' } },
  },
  { ask: 'POST /containers/unplaced/start' },
  { ask: 'DELETE /containers/unplaced' },
  { ask: 'POST /networks/prune' },
  { ask: 'GET /networks/conf?spared' },
  { ask: 'DELETE /networks/conf' },
  { ask: 'DELETE /networks/conf' },
];

const BRIDGE_NAME = 'com.docker.network.bridge.name';

/** A container whose networks are named without a mode. */
const NAMED_ALONE: readonly Request[] = [
  {
    ask: 'POST /containers/create?name=alone',
    json: {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['alias'] } } },
    },
    keep: { alone: 'Id' },
  },
  { ask: 'GET /containers/alone/json' },
  { ask: 'POST /containers/alone/start' },
  { ask: 'GET /containers/alone/json?running' },
  { ask: 'DELETE /containers/alone?force=1' },
  {
    ask: 'POST /containers/create?name=bridged',
    json: {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      HostConfig: { NetworkMode: 'net' },
      NetworkingConfig: { EndpointsConfig: { bridge: {} } },
    },
    keep: { bridged: 'Id' },
  },
  { ask: 'POST /containers/bridged/start' },
  { ask: 'GET /containers/bridged/json?running' },
  { ask: 'DELETE /containers/bridged?force=1' },
];

/** Two bridges of one name, and one of a link's. */
const BRIDGES: readonly Request[] = [
  {
    ask: 'POST /networks/create',
    json: { Name: 'named', ...subnet('10.94.0.0/16'), Options: { [BRIDGE_NAME]: 'mybr0' } },
    keep: { named: 'Id' },
  },
  { ask: 'GET /networks/named' },
  {
    ask: 'POST /networks/create',
    json: { Name: 'bad', ...subnet('10.95.0.0/16'), Options: { [BRIDGE_NAME]: 'mybr0' } },
  },
  {
    ask: 'POST /networks/create',
    json: { Name: 'bad', ...subnet('10.96.0.0/16'), Options: { [BRIDGE_NAME]: 'lo' } },
  },
  { ask: 'DELETE /networks/named' },
];

const FILTERS: readonly unknown[] = [
  { name: ['net'] },
  { name: ['nope'] },
  { id: ['{net}'] },
  { driver: ['bridge'] },
  { driver: ['nope'] },
  { type: ['custom'] },
  { type: ['builtin'] },
  { type: ['nope'] },
  { scope: ['local'] },
  { scope: ['swarm'] },
  { label: ['a'] },
  { label: ['a=b'] },
  { label: ['a=c'] },
  { dangling: ['true'] },
  { dangling: ['false'] },
  { dangling: ['maybe'] },
  { nothing: ['x'] },
  ['x'],
];

/** Networks, and containers on them. */
export const networks: RequestTable = {
  title: 'networks',
  requests: [
    { ask: 'GET /networks', versions: ['1.24', '1.30', '1.40', '1.41'], unordered: true },
    { ask: 'GET /networks/bridge', versions: ['1.24', '1.41'] },
    { ask: 'GET /networks/host' },
    { ask: 'GET /networks/none' },
    { ask: 'GET /networks/bridge?verbose=1' },
    { ask: 'GET /networks/bridge?verbose=maybe' },
    { ask: 'GET /networks/bridge?scope=swarm' },
    { ask: 'GET /networks/nope' },
    { ask: 'GET /networks/default' },
    { ask: 'DELETE /networks/nope' },
    { ask: 'DELETE /networks/bridge' },
    { ask: 'DELETE /networks/host' },
    { ask: 'DELETE /networks/none' },
    ...GOOD.flatMap((body): readonly Request[] => {
      return [
        { ask: 'POST /networks/create', json: { Name: 'made', ...body }, keep: { made: 'Id' } },
        { ask: 'GET /networks/{made}' },
        { ask: 'DELETE /networks/made' },
      ];
    }),
    ...BAD.flatMap((body): readonly Request[] => [
      { ask: 'POST /networks/create', json: { Name: 'bad', ...body } },
      { ask: 'DELETE /networks/bad', quiet: true },
    ]),
    { ask: 'DELETE /networks/bad%20name', quiet: true },
    ...CONFIGURATIONS,
    ...BRIDGES,
    { ask: 'POST /networks/create', json: { Name: 'net', Labels: { a: 'b' } }, keep: { net: 'Id' } },
    { ask: 'POST /networks/create', json: { Name: 'net', CheckDuplicate: true } },
    { ask: 'GET /networks/', unordered: true },
    ...FILTERS.map((filters): Request => ({ ask: 'GET /networks', filters, unordered: true })),
    {
      ask: 'POST /containers/create?name=on',
      json: {
        Image: 'busybox',
        Cmd: ['sleep', '1000'],
        HostConfig: { NetworkMode: 'net' },
        NetworkingConfig: { EndpointsConfig: { net: { Aliases: ['alias'] } } },
      },
      keep: { on: 'Id' },
    },
    { ask: 'GET /containers/on/json' },
    { ask: 'POST /containers/on/start' },
    { ask: 'GET /containers/on/json?running' },
    { ask: 'GET /containers/json' },
    { ask: 'GET /networks/net' },
    { ask: 'DELETE /networks/net' },
    { ask: 'POST /networks/net/connect', json: { Container: 'on' } },
    { ask: 'POST /networks/bridge/connect', json: { Container: 'on' } },
    { ask: 'GET /containers/on/json?on-both' },
    { ask: 'POST /networks/bridge/disconnect', json: { Container: 'on' } },
    { ask: 'POST /networks/bridge/disconnect', json: { Container: 'on' } },
    { ask: 'POST /networks/bridge/disconnect', json: { Container: 'on', Force: true } },
    { ask: 'POST /networks/bridge/connect', json: { Container: 'on', EndpointConfig: { Aliases: ['x'] } } },
    {
      ask: 'POST /networks/bridge/connect',
      json: { Container: 'on', EndpointConfig: { IPAMConfig: { IPv4Address: '172.17.0.77' } } },
    },
    { ask: 'POST /networks/nope/connect', json: { Container: 'on' } },
    { ask: 'POST /networks/net/connect', json: { Container: 'nope' } },
    { ask: 'POST /networks/net/connect', json: {} },
    { ask: 'POST /networks/net/connect' },
    { ask: 'POST /networks/net/connect', raw: '{', headers: { 'Content-Type': 'application/json' } },
    { ask: 'POST /networks/nope/disconnect', json: { Container: 'on' } },
    { ask: 'POST /networks/net/disconnect', json: { Container: 'nope' } },
    { ask: 'POST /networks/net/disconnect', json: {} },
    { ask: 'POST /networks/host/connect', json: { Container: 'on' } },
    { ask: 'POST /networks/none/connect', json: { Container: 'on' } },
    { ask: 'POST /networks/net/disconnect', json: { Container: 'on' } },
    { ask: 'GET /containers/on/json?on-none' },
    {
      ask: 'POST /networks/net/connect',
      json: { Container: 'on', EndpointConfig: { Aliases: ['again'], DriverOpts: {} } },
    },
    { ask: 'GET /containers/on/json?again' },
    { ask: 'POST /containers/on/stop?t=0' },
    { ask: 'GET /containers/on/json?stopped' },
    { ask: 'DELETE /containers/on?force=1' },
    ...NAMED_ALONE,
    { ask: 'DELETE /networks/net' },
    { ask: 'GET /networks/net' },
    {
      ask: 'POST /containers/create?name=lost',
      json: { Image: 'busybox', HostConfig: { NetworkMode: 'net' } },
    },
    { ask: 'POST /containers/lost/start' },
    { ask: 'DELETE /containers/lost' },
  ],
};
