import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What a machine holds at one moment, one readable line for each thing, by kind of thing. */
export type Snapshot = ReadonlyMap<string, readonly string[]>;

/** Where to look besides the places that every machine has. */
export interface LeakScope {
  /** containerd sockets whose namespaces are listed; one that is not there has none. */
  readonly containerdAddresses: readonly string[];
  /** Directories whose entries, two levels deep, are listed; one that is not there has none. */
  readonly directories: readonly string[];
  /** `directory/prefix`: entries of the directory that start with the prefix are listed. */
  readonly prefixes: readonly string[];
}

/** What berth, containerd, its shims and CNI write to by default. */
export const defaultScope: LeakScope = {
  containerdAddresses: ['/run/containerd/containerd.sock'],
  directories: [
    '/run/berth',
    '/var/lib/berth',
    '/run/containerd/s',
    '/run/containerd/fifo',
    '/run/runc',
    '/var/lib/cni',
    '/etc/cni/net.d',
  ],
  prefixes: ['/tmp/berth-', '/run/berth-'],
};

/** Mount points of /proc/self/mountinfo's text, with the type of what is mounted. */
export function parseMounts(mountinfo: string): string[] {
  return lines(mountinfo).map((line) => {
    const [place = '', source = ''] = line.split(' - ');
    return `${place.split(' ')[4] ?? ''} (${source.split(' ')[0] ?? ''})`;
  });
}

/** Rules and chains of iptables-save's or nft's text, without counters and remarks, which change by themselves. */
export function parseRules(text: string): string[] {
  return lines(text)
    .filter((line) => !line.startsWith('#'))
    .map((line) =>
      line
        .replaceAll(/\[\d+:\d+\]/g, '')
        .replaceAll(/counter packets \d+ bytes \d+ ?/g, '')
        .trim(),
    )
    .filter((line) => line !== '' && line !== '}' && line !== 'COMMIT' && !isEmptyFrame(line));
}

/** What iptables makes by itself when it is first asked anything: tables and built-in chains that let all pass. */
function isEmptyFrame(line: string): boolean {
  return [
    /^\*[a-z]+$/,
    /^:[A-Z]+ ACCEPT$/,
    /^table ip6? (filter|nat|mangle|raw|security) \{$/,
    /^chain (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) \{$/,
    /^type \w+ hook \w+ priority \w+; policy accept;$/,
  ].some((pattern) => pattern.test(line));
}

/** True where a command line is that of berth, of what it starts, or of what tests start beside it. */
export function isOurProcess(commandLine: string): boolean {
  const [program = '', ...args] = commandLine.split(' ');
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (/^(berth|containerd|containerd-shim.*|runc|dockerd|docker-registry|registry|docker-init)$/.test(name))
    return true;
  return name === 'node' && args.some((arg) => arg.endsWith('bin/berth') || arg.endsWith('dist/cli/main.js'));
}

/** Lines for people, one for each thing that is there after and was not before. */
export function compareSnapshots(before: Snapshot, after: Snapshot): string[] {
  const leaks: string[] = [];
  for (const [kind, things] of after) {
    const known = new Map<string, number>();
    for (const thing of before.get(kind) ?? []) known.set(thing, (known.get(thing) ?? 0) + 1);
    for (const thing of things) {
      const left = known.get(thing) ?? 0;
      if (left > 0) known.set(thing, left - 1);
      else leaks.push(`${kind}: ${thing}`);
    }
  }
  return leaks;
}

/** Takes stock of the machine. Needs root, and the programs that scripts/setup installs. */
export async function takeSnapshot(scope: LeakScope = defaultScope): Promise<Snapshot> {
  const kinds: readonly (readonly [string, Promise<readonly string[]>])[] = [
    ['mount', readFile('/proc/self/mountinfo', 'utf8').then(parseMounts)],
    ['named netns', entries('/run/netns')],
    ['network namespace', networkNamespaces()],
    ['link', links()],
    ['iptables rule', output('iptables-save').then(parseRules)],
    ['ip6tables rule', output('ip6tables-save').then(parseRules)],
    ['nft rule', output('nft', ['list', 'ruleset']).then(parseRules)],
    ['cgroup', directoriesBelow('/sys/fs/cgroup')],
    ['process', processes()],
    ['containerd namespace', collect(scope.containerdAddresses, containerdNamespaces)],
    ['file', files(scope)],
  ];
  const found = await Promise.all(kinds.map(async ([kind, things]) => [kind, await things] as const));
  return new Map(found);
}

/** Waits until nothing more is there than before, or until the time is over; what is left then is a leak. */
export async function findLeaks(
  before: Snapshot,
  timeoutMs: number,
  scope: LeakScope = defaultScope,
): Promise<string[]> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const leaks = compareSnapshots(before, await takeSnapshot(scope));
    if (leaks.length === 0 || Date.now() > deadline) return leaks;
    await new Promise((settle) => setTimeout(settle, 250));
  }
}

/** The entries of the scope's directories, two levels deep, and those that have one of its prefixes. */
export async function files(scope: LeakScope): Promise<readonly string[]> {
  const below = await collect(scope.directories, entriesTwoDeep);
  return [...below, ...(await collect(scope.prefixes, entriesByPrefix))];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

async function output(program: string, args: readonly string[] = []): Promise<string> {
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  return (await run(program, args, { env, maxBuffer: 1 << 26 })).stdout;
}

async function collect(
  places: readonly string[],
  list: (place: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  return (await Promise.all(places.map(list))).flat();
}

function isNothing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // EACCES: even root may not look into a process that has more capabilities; such a one is not ours.
  return code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR' || code === 'EACCES';
}

/** The promise's value, or the other one where the thing is not there, or vanished while it was looked at. */
async function orIfNothing<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isNothing(error)) return otherwise;
    throw error;
  }
}

function entries(directory: string): Promise<string[]> {
  return orIfNothing(readdir(directory), []);
}

async function entriesTwoDeep(directory: string): Promise<string[]> {
  const above = (await entries(directory)).map((name) => join(directory, name));
  const below = await Promise.all(
    above.map(async (one) => (await entries(one)).map((name) => join(one, name))),
  );
  return [...above, ...below.flat()];
}

async function entriesByPrefix(pathPrefix: string): Promise<string[]> {
  const slash = pathPrefix.lastIndexOf('/');
  const directory = pathPrefix.slice(0, slash);
  const found = (await entries(directory)).map((name) => join(directory, name));
  return found.filter((path) => path.startsWith(pathPrefix));
}

async function directoriesBelow(directory: string): Promise<string[]> {
  const found = await orIfNothing(readdir(directory, { withFileTypes: true }), []);
  const here = found.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
  const below = await Promise.all(here.map(directoriesBelow));
  return [...here, ...below.flat()];
}

async function pids(): Promise<string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

async function networkNamespaces(): Promise<string[]> {
  const found = await Promise.all(
    (await pids()).map((pid) => orIfNothing(readlink(`/proc/${pid}/ns/net`), '')),
  );
  return [...new Set(found)].filter((name) => name !== '');
}

async function processes(): Promise<string[]> {
  const found = await Promise.all(
    (await pids()).map(async (pid) => {
      const raw = await orIfNothing(readFile(`/proc/${pid}/cmdline`, 'utf8'), '');
      return { pid, commandLine: raw.replaceAll('\0', ' ').trim() };
    }),
  );
  return found
    .filter(({ commandLine }) => isOurProcess(commandLine))
    .map((one) => `${one.pid} ${one.commandLine}`);
}

async function links(): Promise<string[]> {
  const found = JSON.parse(await output('ip', ['-json', 'link'])) as readonly { readonly ifname: string }[];
  return found.map(({ ifname }) => ifname);
}

async function containerdNamespaces(address: string): Promise<string[]> {
  const isThere = (await entries(join(address, '..'))).some((name) => address.endsWith(`/${name}`));
  if (!isThere) return [];
  const names = await output('ctr', ['--address', address, 'namespaces', 'ls', '--quiet']);
  return lines(names).map((name) => `${name} at ${address}`);
}
