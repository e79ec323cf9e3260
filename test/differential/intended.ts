import { INTENDED_FOR_BUILDS } from './intended-builds.ts';
import { INTENDED_FOR_IMAGES } from './intended-images.ts';

/** Where berth answers otherwise than dockerd 20.10 on purpose. `*` stands for any text. */
export interface IntendedDifference {
  /** Requests, as the tables have them. */
  readonly asks: readonly string[];
  /** Places in the answer: `status`, `header allow`, `HostConfig.Binds`. */
  readonly at: readonly string[];
  /** What each answers there, as the failure shows it; absent is anything. */
  readonly dockerd?: string;
  readonly berth?: string | readonly string[];
  readonly why: string;
}

const ANY = ['*'];
const INSPECTED = ['GET /containers/*/json*'];
const LISTED = ['GET /containers/json*', 'GET /containers/*/json*'];
const REFUSED = ['status', 'message'];

/** What newer dockerds answer too, whatever the version asked for. */
const AS_NEWER: readonly IntendedDifference[] = [
  {
    asks: ANY,
    at: ['status'],
    dockerd: '500',
    berth: '40*',
    why: 'what the client got wrong is a 4xx; 20.10 answers 500 for much of it',
  },
  {
    asks: ANY,
    at: ['message'],
    berth: [
      '"unsupported Content-Type header *',
      '"invalid JSON: *',
      '"invalid filter*',
      '"invalid signal: *',
      '"invalid restart policy: *',
      '"invalid network mode: *',
      '"invalid isolation *',
      '"invalid network name: *',
      '"invalid network config:*',
      '"invalid reference format*',
      '"no command specified"',
      '"unknown or invalid runtime name: *',
      '"unrecognized filter value for health: *',
      '"Container cannot be created with multiple network endpoints: *',
      '"bad parameter: \'path\' cannot be empty"',
      '"operation is not permitted on predefined * network"',
      '"error while removing network: * has active endpoints (*',
      '"No such image: *',
      '"BindOptions must not be specified on mount type*',
    ],
    why: 'the words of newer versions',
  },
  {
    asks: ANY,
    at: ['message'],
    berth: [
      '"invalid value for *',
      '"invalid resize *',
      '"invalid port specification: *',
      '"invalid IPv4 address: *',
      '"Invalid value * for cpuset *',
      '"fromImage or fromSrc is required"',
      '*is an invalid component of a platform"',
      '"ps: option * is not allowed"',
      '"No such container: *',
      '"Could not find the file *',
      '"invalid archive: *',
    ],
    why: "says which of the client's values is wrong, where 20.10 says what its libraries stumbled over",
  },
  {
    asks: ANY,
    at: ['message', 'State.Error', 'streams.1'],
    dockerd: '*: unknown*',
    berth: '*OCI runtime *',
    why: 'without the gRPC code ": unknown", as newer versions',
  },
  {
    asks: LISTED,
    at: [
      '*HostConfig.NetworkMode',
      'HostConfig.PortBindings',
      'HostConfig.RestartPolicy.Name',
      'HostConfig.Runtime',
      'HostConfig.ConsoleSize*',
    ],
    berth: ['"bridge"', '{}', '"no"', '"runc"', '0'],
    why: 'defaults have a value; the console has a size since API 1.42',
  },
  {
    asks: [...LISTED, 'GET /networks*', 'GET /info*', ...ANY.map((one) => `${one} /_ping*`)],
    at: [
      '*.GwPriority',
      '*.DNSNames',
      '*EnableIPv4',
      '*IPAM.Config[*].Gateway',
      'CDISpecDirs',
      'header builder-version',
      'header swarm',
    ],
    dockerd: 'absent',
    why: 'newer members and headers',
  },
  {
    asks: [...INSPECTED, 'GET /info*', 'POST /containers/*/wait*'],
    at: ['HostConfig.KernelMemory*', 'Runtimes.io.containerd.runtime.v1.linux', 'ExecutionDriver', 'Error'],
    berth: 'absent',
    why: 'members that are gone',
  },
  { asks: INSPECTED, at: ['HostConfig.MaskedPaths*'], why: 'newer versions hide more of /proc and /sys' },
  {
    asks: ['GET /containers/*/logs*', 'GET /images/*/json*', 'POST /volumes/create*'],
    at: ['header content-type', 'Metadata.LastTagTime', 'Labels'],
    why: 'newer: the type of a log, the time of a load, the label of an anonymous volume',
  },
  {
    asks: ['* (version 1.24)', 'POST /containers/x/copy*'],
    at: [...REFUSED, 'body', 'header content-type'],
    berth: ['404', '"page not found"', '{"message":"page not found"}', '"application/json"'],
    why: 'prune came with API 1.25 (1.31 for builds), copy went with 1.24',
  },
  {
    asks: ['GET /containers/json (version *'],
    at: ['body', 'message', 'header content-type'],
    berth: ['{"message":"client version *', '"client version *', '"application/json"'],
    why: 'other oldest and newest versions; errors are JSON for every version',
  },
];

/** What comes of living in a job, on containerd, behind a gate. */
const AS_BERTH: readonly IntendedDifference[] = [
  {
    asks: ANY,
    at: ['Driver', 'GraphDriver.Name', 'GraphDriver.Data'],
    why: 'layers are in a containerd snapshotter; its directories on the host are not shown',
  },
  {
    asks: INSPECTED,
    at: ['ResolvConfPath', 'HostnamePath', 'HostsPath', 'LogPath', '*.SandboxID', '*.SandboxKey'],
    berth: '""',
    why: 'paths of the host are not shown',
  },
  {
    asks: ['GET /info*'],
    at: ['Labels', 'Warnings'],
    why: 'labels say what the gate allows, warnings what the machine lacks',
  },
  {
    asks: INSPECTED,
    at: ['HostConfig.CgroupnsMode'],
    berth: '"private"',
    why: "the host's cgroups are never shown to a container, with cgroup v1 neither",
  },
  {
    asks: ['GET /containers/*size=1*', 'POST /containers/prune*', 'GET /events*'],
    at: ['*SizeRw', '*SpaceReclaimed', '*.reclaimed'],
    why: "sizes are the snapshotter's, which counts directories",
  },
  {
    asks: ['GET /containers/*/stats*'],
    at: ['*.stats.*', 'memory_stats.stats.*'],
    dockerd: 'absent',
    why: "all counters of the kernel's memory.stat",
  },
  {
    asks: ['POST /containers/create?name=bad *', 'POST /networks/create *"IPRange"*'],
    at: REFUSED,
    dockerd: '201',
    why: 'refused at create, where dockerd fails at the start or drops it without a word',
  },
];

/** What berth does better, or does not do. */
const AS_WISHED: readonly IntendedDifference[] = [
  {
    asks: ['*"CapAdd"*', '*"Type":"bind","Source"*', '*"kernel.nope"*'],
    at: REFUSED,
    berth: ['403', '"HostConfig.CapAdd *', '*is not one that the job sees*'],
    why: 'the gate refuses what would leave the job',
  },
  {
    asks: ['PATCH *'],
    at: REFUSED,
    berth: ['405', '"method not allowed"'],
    why: 'no endpoint has this method',
  },
  {
    asks: ANY,
    at: ['header docker-experimental', 'header ostype'],
    dockerd: 'absent',
    why: 'sent with every answer',
  },
  {
    asks: ['* /containers/x/checkpoints*', 'POST /containers/*/start?checkpoint*'],
    at: REFUSED,
    berth: ['501', '"checkpoints *'],
    why: 'there are none, experimental or not',
  },
  {
    asks: ['*filters {"ancestor":["busybox*'],
    at: ['body'],
    why: "an image's layers tell what it was made from, as with containerd's store in newer versions",
  },
  {
    asks: ['POST /containers/*/attach*'],
    at: ['body', 'header content-type'],
    berth: ['{"message":*', '"application/json"'],
    why: 'an error before the stream begins is JSON',
  },
  {
    asks: ['POST /containers/nope/wait?condition=nope'],
    at: REFUSED,
    why: 'a condition that does not exist is refused first',
  },
  {
    asks: ['* /containers/second/*'],
    at: ['message', 'State.Error'],
    berth: '*port is already allocated (by container first)*',
    why: 'names the container that has the port',
  },
  {
    asks: ['GET /containers/fails*', 'GET /containers/second/json'],
    at: ['NetworkSettings.Networks.bridge.NetworkID'],
    why: 'a container that never ran is on no network yet',
  },
  {
    asks: ['POST /containers/create*"WorkingDir":"/etc/passwd"*', 'POST /containers/fails6/start'],
    at: REFUSED,
    why: "the working directory is looked at by the runtime, in the container's view",
  },
  {
    asks: ['POST /exec/*/start *', 'GET /exec/{late}/json'],
    at: REFUSED,
    berth: ['409', '200', '"Container * is not running"'],
    why: 'an exec that cannot be started is an error, not a stream; one that never ran stays known',
  },
  {
    asks: ['POST /images/create?fromImage=127.0.0.1:1/*'],
    at: REFUSED,
    berth: ['503', '"Head *'],
    why: 'what fails before the first byte has a status of its own',
  },
  {
    asks: ['POST /images/load *'],
    at: ['error', 'errorDetail.message'],
    why: 'says what is wrong with the archive, where 20.10 names its own files and programs',
  },
  {
    asks: ['* /volumes/*mem*'],
    at: REFUSED,
    why: 'volumes of the kernel are not served',
  },
  {
    asks: ['POST /networks/create *"Subnet"*,{"Subnet"*', 'GET /networks/{made}'],
    at: [...REFUSED, 'IPAM.Options'],
    why: 'one IPv4 subnet for each network; no options of an IPAM driver',
  },
  {
    asks: [
      'GET /events* filters {"type":["volume"]}',
      'GET /events* filters {"volume":*',
      'GET /events* filters {"event":["create"]}',
      'GET /events* filters {"scope":["local"]}',
    ],
    at: ['body'],
    why: 'a copy does not mount the volumes again; a container does not create a volume that is there',
  },
  {
    asks: ['GET /containers/files/changes'],
    at: ['body'],
    why: 'without what only mount points made, and directories that differ in nothing any more',
  },
  {
    asks: ['POST /networks/create *"2001:389::/64"*'],
    at: ['Warning'],
    dockerd: '""',
    why: 'says what of the IPv6 that was asked for is not used, or does not leave the job',
  },
  {
    asks: ['GET /events* filters {"type":["network"]}'],
    at: ['body'],
    why: 'leaving a network is told once',
  },
];

/** The whole list; one that no request needs any more fails the tests. */
export const INTENDED_DIFFERENCES: readonly IntendedDifference[] = [
  ...AS_NEWER,
  ...AS_BERTH,
  ...AS_WISHED,
  ...INTENDED_FOR_IMAGES,
  ...INTENDED_FOR_BUILDS,
];
