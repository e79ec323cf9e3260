import { INTENDED_FOR_BUILDS } from './intended-builds.ts';
import { INTENDED_FOR_IMAGES } from './intended-images.ts';
import { INTENDED_AS_NEWER } from './intended-newer.ts';

/** Where berth answers otherwise than dockerd 20.10 on purpose. `*` stands for any text. */
export interface IntendedDifference {
  /** Requests, as the tables have them. */
  readonly asks: readonly string[];
  /** Places in the answer: `status`, `header allow`, `HostConfig.Binds`. */
  readonly at: readonly string[];
  /** What each answers there, as the failure shows it; absent is anything. */
  readonly dockerd?: string;
  readonly berth?: string | readonly string[];
  /** In a few words, what differs and how: a row of docs/conformance.md. */
  readonly about: string;
  readonly why: string;
}

const ANY = ['*'];
const INSPECTED = ['GET /containers/*/json*'];
const REFUSED = ['status', 'message'];

/** What comes of living in a job, on containerd, behind a gate. */
const AS_BERTH: readonly IntendedDifference[] = [
  {
    asks: ANY,
    at: ['Driver', 'GraphDriver.Name', 'GraphDriver.Data'],
    about: 'storage driver',
    why: 'a containerd snapshotter, whose directories on the host are not shown',
  },
  {
    asks: INSPECTED,
    at: ['ResolvConfPath', 'HostnamePath', 'HostsPath', 'LogPath', '*.SandboxID', '*.SandboxKey'],
    berth: '""',
    about: 'container: paths',
    why: 'those of the host are not shown',
  },
  {
    asks: ['GET /info*'],
    at: ['Labels', 'Warnings'],
    about: 'info: Labels, Warnings',
    why: 'say what the gate allows and what the machine lacks',
  },
  {
    asks: ['GET /info?values'],
    at: [
      ...['ID', 'ServerVersion', 'OperatingSystem', 'DockerRootDir', 'DriverStatus', 'InitCommit.*'],
      ...['Plugins.Log', 'Plugins.Network', 'RegistryConfig.InsecureRegistryCIDRs', 'SecurityOptions[*]'],
      ...['KernelMemory', 'LiveRestoreEnabled', 'NFd', 'NGoroutines'],
    ],
    about: 'info: what it is made of',
    why: 'versions, storage, drivers, counters of Go; all other values are the same',
  },
  {
    asks: INSPECTED,
    at: ['HostConfig.CgroupnsMode'],
    berth: '"private"',
    about: 'container: CgroupnsMode',
    why: "the host's cgroups are never shown to a container, with cgroup v1 neither",
  },
  {
    asks: ['GET /containers/*size=1*', 'POST /containers/prune*', 'GET /events*'],
    at: ['*SizeRw', '*SpaceReclaimed', '*.reclaimed'],
    about: 'sizes of containers',
    why: "the snapshotter's, which counts directories",
  },
  {
    asks: ['GET /containers/*/stats*'],
    at: ['*.stats.*', 'memory_stats.stats.*'],
    dockerd: 'absent',
    about: 'stats: memory',
    why: "all counters of the kernel's memory.stat",
  },
  {
    asks: ['POST /containers/create?name=bad *', 'POST /networks/create *"IPRange"*'],
    at: REFUSED,
    dockerd: '201',
    about: 'create',
    why: 'refuses what dockerd fails of at the start, or drops without a word',
  },
  {
    asks: ['POST /containers/create*', 'POST /containers/left/start'],
    at: ['status'],
    dockerd: '400',
    berth: '404',
    about: 'create: containers named in it',
    why: "not the job's is not there, as in every other request",
  },
];

/** What berth does better, or does not do. */
const AS_WISHED: readonly IntendedDifference[] = [
  {
    asks: ['*"CapAdd"*', '*"Type":"bind","Source"*', '*"kernel.nope"*'],
    at: REFUSED,
    berth: ['403', '"HostConfig.CapAdd *', '*is not one that the job sees*'],
    about: 'create, exec, build',
    why: 'the gate refuses what would leave the job',
  },
  {
    asks: ['PATCH *'],
    at: REFUSED,
    berth: ['405', '"method not allowed"'],
    about: 'PATCH',
    why: '405: no endpoint has this method',
  },
  {
    asks: ANY,
    at: ['header docker-experimental', 'header ostype'],
    dockerd: 'absent',
    about: 'headers Docker-Experimental, OSType',
    why: 'sent with every answer',
  },
  {
    asks: ['* /containers/x/checkpoints*', 'POST /containers/*/start?checkpoint*'],
    at: REFUSED,
    berth: ['501', '"checkpoints *'],
    about: 'checkpoints',
    why: 'there are none, experimental or not',
  },
  {
    asks: ['*filters {"ancestor":["busybox*'],
    at: ['body'],
    about: 'filter ancestor',
    why: "goes by layers, as with containerd's store in newer versions",
  },
  {
    asks: ['POST /containers/*/attach*'],
    at: ['body', 'header content-type'],
    berth: ['{"message":*', '"application/json"'],
    about: 'attach',
    why: 'an error before the stream begins is JSON',
  },
  {
    asks: ['POST /containers/nope/wait?condition=nope'],
    at: REFUSED,
    about: 'wait',
    why: 'newer: a condition that does not exist is refused first',
  },
  {
    asks: ['* /containers/second/*'],
    at: ['message', 'State.Error'],
    berth: '*port is already allocated (by container first)*',
    about: 'port conflicts',
    why: 'the message names the container that has the port',
  },
  {
    asks: ['fails*', 'second/json', 'early/json', 'joined/json'].map((one) => `GET /containers/${one}`),
    at: ['NetworkSettings.Networks.bridge.NetworkID'],
    about: 'container: NetworkID',
    why: 'one that never ran is on no network yet',
  },
  {
    asks: ['POST /containers/create*"WorkingDir":"/etc/passwd"*', 'POST /containers/fails6/start'],
    at: REFUSED,
    about: 'WorkingDir',
    why: "is looked at by the runtime, in the container's view",
  },
  {
    asks: ['POST /exec/*/start *', 'GET /exec/{late}/json'],
    at: REFUSED,
    berth: ['409', '200', '"Container * is not running"'],
    about: 'exec',
    why: 'one that cannot be started is an error, not a stream; it stays known',
  },
  {
    asks: ['POST /images/create?fromImage=127.0.0.1:1/*'],
    at: REFUSED,
    berth: ['503', '"Head *'],
    about: 'pull',
    why: 'what fails before the first byte has a status of its own',
  },
  {
    asks: ['POST /images/load *'],
    at: ['error', 'errorDetail.message'],
    about: 'load',
    why: 'says what is wrong with the archive, where 20.10 names its own files',
  },
  {
    asks: ['* /volumes/*mem*'],
    at: REFUSED,
    about: 'volumes: type, device',
    why: 'what the kernel mounts is not served',
  },
  {
    asks: ['POST /networks/create *"Subnet"*,{"Subnet"*', 'GET /networks/{made}'],
    at: [...REFUSED, 'IPAM.Options'],
    about: 'network: IPAM',
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
    about: 'events of volumes',
    why: 'a copy does not mount them again; a container creates none that is there',
  },
  {
    asks: ['GET /containers/files/changes'],
    at: ['body'],
    about: 'changes (docker diff)',
    why: 'without mount points, and directories that differ in nothing any more',
  },
  {
    asks: ['POST /networks/create *"2001:389::/64"*'],
    at: ['Warning'],
    dockerd: '""',
    about: 'network: Warning',
    why: 'says what of the IPv6 asked for is not used, or does not leave the job',
  },
  {
    asks: ['GET /events* filters {"type":["network"]}'],
    at: ['body'],
    about: 'events of networks',
    why: 'leaving a network is told once',
  },
];

/** The whole list; one that no request needs any more fails the tests. */
export const INTENDED_DIFFERENCES: readonly IntendedDifference[] = [
  ...INTENDED_AS_NEWER,
  ...AS_BERTH,
  ...AS_WISHED,
  ...INTENDED_FOR_IMAGES,
  ...INTENDED_FOR_BUILDS,
];
