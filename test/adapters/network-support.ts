import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { loadLibc } from '../../src/host/libc.ts';
import { createHostProcesses } from '../../src/host/processes.ts';
import type { HostProcesses, Libc } from '../../src/host/types.ts';
import { createLogger } from '../../src/logger.ts';
import { createJobNetwork, type JobNetworkOptions } from '../../src/network/job-network.ts';
import { reapNetwork } from '../../src/network/reap-network.ts';
import type { JobNetwork, SandboxMode } from '../../src/network/types.ts';

/** Addresses of the world that the tests make: nothing of it is on this machine's real network. */
export const world = {
  hostPublic: '203.0.113.1',
  hostPrivate: '10.99.0.1',
  outsidePublic: '203.0.113.2',
  outsidePrivate: '10.99.0.2',
  metadata: '169.254.169.254',
  /** Asked by the jobs for names; as on many real networks, a private address. */
  resolver: '10.99.0.3',
  hostPublicIpv6: '2001:db8:99::1',
  hostPrivateIpv6: 'fd99::1',
  outsidePublicIpv6: '2001:db8:99::2',
  outsidePrivateIpv6: 'fd99::2',
  metadataIpv6: 'fd00:ec2::254',
} as const;

const listenScript = `
const [address, port, name] = process.argv.slice(1);
require('node:net').createServer((socket) => socket.end(name + ' ' + socket.remoteAddress.replace('::ffff:', '')))
  .listen(Number(port), address, () => console.log('listening'));`;

const connectScript = `
const [address, port] = process.argv.slice(1);
const socket = require('node:net').connect({ host: address, port: Number(port) });
socket.setTimeout(1000, () => { console.log('no answer'); process.exit(); });
socket.on('data', (data) => { console.log(data.toString()); process.exit(); });
socket.on('error', (error) => { console.log(error.code); process.exit(); });`;

/** A host and what lies beyond it, both in namespaces of their own; the host drops forwarded traffic as Docker makes hosts do. */
export interface World {
  readonly hostNetns: string;
  readonly outsideNetns: string;
  readonly processes: HostProcesses;
  readonly libc: Libc;
  readonly directory: string;
  /** Opens the network of a job; further options replace the defaults. */
  open(slug: string, options?: Partial<JobNetworkOptions>): Promise<JobNetwork>;
  reap(slug: string): Promise<readonly string[]>;
  runDir(slug: string): string;
  /** A slug that no other run of the tests has. */
  slug(name: string): string;
  /** Starts a listener that answers with its name and the caller's address. */
  listen(netns: string, port: number, name: string): Promise<void>;
  /** Starts a script of Node in the namespace and waits until it says something. */
  serve(netns: string, script: string, ...args: readonly string[]): Promise<void>;
  /** Ends the listeners that are not in the world's own namespaces. */
  stopListeners(): Promise<void>;
  /** What a TCP connection from the namespace gets: the listener's answer, an errno, or 'no answer'. */
  connect(netns: string, address: string, port: number): Promise<string>;
  /** Runs a program in a namespace; a failure is thrown. */
  run(netns: string, ...argv: readonly string[]): Promise<string>;
  /** A process of the test in the namespace, which the caller ends. */
  linger(netns: string): ChildProcess;
  /** Everything that a network could leave behind, as one text. */
  snapshot(): Promise<string>;
  end(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const tag = randomBytes(4).toString('hex');
  const [host, outside] = [`berthtest-h-${tag}`, `berthtest-o-${tag}`];
  const [hostNetns, outsideNetns] = [`/run/netns/${host}`, `/run/netns/${outside}`];
  const processes = createHostProcesses();
  const libc = await loadLibc();
  const directory = await mkdtemp(join(tmpdir(), 'berth-network-'));
  const listeners = new Map<ChildProcess, string>();
  const stop = async (isMeant: (netns: string) => boolean): Promise<void> => {
    for (const [child, netns] of listeners) if (isMeant(netns)) await endProcess(child);
    for (const [child, netns] of listeners) if (isMeant(netns)) listeners.delete(child);
  };
  const onHost = async (...argv: readonly string[]): Promise<string> => {
    const result = await processes.run(argv);
    if (result.code !== 0) throw new Error(`${argv.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
  const run = (netns: string, ...argv: readonly string[]): Promise<string> =>
    onHost('nsenter', `--net=${netns}`, ...argv);
  const serve = async (netns: string, script: string, ...args: readonly string[]): Promise<void> => {
    const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script, '--', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    listeners.set(child, netns);
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error(`listener ${args.join(' ')} ended`)));
    });
  };
  const resolvConf = join(directory, 'resolv.conf');
  await writeFile(resolvConf, `nameserver ${world.resolver}\n`);
  await onHost('ip', 'netns', 'add', host);
  await onHost('ip', 'netns', 'add', outside);
  const lines = (netns: string, text: string): Promise<unknown> =>
    processes.runInNetns(netns, ['ip', '-batch', '-'], { stdin: text });
  await lines(
    hostNetns,
    `link set lo up\nlink add wan0 type veth peer name eth0 netns ${outside}\n` +
      `addr add ${world.hostPublic}/24 dev wan0\naddr add ${world.hostPrivate}/24 dev wan0\n` +
      `link set wan0 addrgenmode none up\nroute add ${world.metadata} dev wan0\n` +
      `addr add ${world.hostPublicIpv6}/64 dev wan0 nodad\naddr add ${world.hostPrivateIpv6}/64 dev wan0 nodad\n` +
      `addr add fe80::1/64 dev wan0 nodad\nroute add ${world.metadataIpv6} dev wan0\n` +
      `route add default via ${world.outsidePublicIpv6}\n`,
  );
  await lines(
    outsideNetns,
    `link set lo up\naddr add ${world.outsidePublic}/24 dev eth0\naddr add ${world.outsidePrivate}/24 dev eth0\n` +
      `addr add ${world.resolver}/24 dev eth0\naddr add ${world.metadata}/32 dev eth0\nlink set eth0 addrgenmode none up\n` +
      `addr add ${world.outsidePublicIpv6}/64 dev eth0 nodad\naddr add ${world.outsidePrivateIpv6}/64 dev eth0 nodad\n` +
      `addr add ${world.metadataIpv6}/128 dev eth0 nodad\naddr add fe80::2/64 dev eth0 nodad\n` +
      `route add default via ${world.hostPublic}\nroute add default via ${world.hostPublicIpv6}\n`,
  );
  await run(hostNetns, 'iptables-nft', '-P', 'FORWARD', 'DROP');
  await run(hostNetns, 'ip6tables-nft', '-P', 'FORWARD', 'DROP');
  await run(hostNetns, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward');
  await run(hostNetns, 'sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/all/forwarding');
  const runDir = (slug: string): string => join(directory, 'run', slug);
  return {
    hostNetns,
    outsideNetns,
    processes,
    libc,
    directory,
    run,
    runDir,
    slug: (name) => `${name}-${tag}`,
    open: (slug, options = {}) =>
      createJobNetwork({
        slug,
        stateDir: join(directory, 'state', slug),
        runDir: runDir(slug),
        choice: { kind: 'isolated' },
        log: createLogger('silent'),
        processes,
        libc,
        hostNetns,
        resolvConfFiles: [resolvConf],
        ...options,
      }),
    reap: (slug) => reapNetwork({ slug, runDir: runDir(slug), processes, libc, hostNetns }),
    listen: (netns, port, name) => serve(netns, listenScript, '::', String(port), name),
    serve,
    stopListeners: () => stop((netns) => netns !== hostNetns && netns !== outsideNetns),
    connect: async (netns, address, port) =>
      (await run(netns, process.execPath, '-e', connectScript, '--', address, String(port))).trim(),
    linger: (netns) => spawn('nsenter', [`--net=${netns}`, 'sleep', '1000'], { stdio: 'ignore' }),
    async snapshot() {
      const parts = await Promise.all([
        run(hostNetns, 'ip', '-o', 'link'),
        // Whoever forwards IPv6 has anycast addresses: it is left on, as for IPv4.
        run(hostNetns, 'sh', '-c', 'ip route show table all | grep -v ^anycast'),
        run(hostNetns, 'ip', '-6', 'neighbour', 'show', 'nud', 'permanent'),
        run(hostNetns, 'nft', '-s', 'list', 'ruleset'),
        // Others on this machine have namespaces there too.
        onHost('sh', '-c', `ls /run/netns | grep -e '-${tag}'; true`),
        onHost(
          'sh',
          '-c',
          `grep '${directory}' /proc/self/mountinfo; find '${directory}/run' -path '*/netns/*'; true`,
        ),
      ]);
      return parts.join('\n--\n');
    },
    async end() {
      await stop(() => true);
      await onHost('ip', 'netns', 'delete', outside);
      await onHost('ip', 'netns', 'delete', host);
      await rm(directory, { recursive: true });
    },
  };
}

/** Kills a child and waits for its end. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** A container id that no other test has. */
export function newContainerId(): string {
  return randomBytes(32).toString('hex');
}

/** A plain place on each of the networks. */
export function onNetworks(...names: readonly string[]): SandboxMode {
  const plain = { macAddress: '', ipAddress: '', ipv6Address: '', gwPriority: 0 };
  const nothing = { dnsNames: [], links: [], linkLocalAddresses: [] };
  return {
    kind: 'networks',
    endpoints: names.map((networkRef) => ({ networkRef, ...plain, ...nothing })),
  };
}

/** A place on the default bridge; without a hardware address it gets one of its own. */
export function onBridge(macAddress = ''): SandboxMode {
  const endpoint = {
    networkRef: 'bridge',
    macAddress,
    ipAddress: '',
    ipv6Address: '',
    gwPriority: 0,
    dnsNames: [],
    links: [],
    linkLocalAddresses: [],
  };
  return { kind: 'networks', endpoints: [endpoint] };
}
