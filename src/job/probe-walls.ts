import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { HostDevice } from '../host/devices.ts';
import type { HostFacts, HostProcesses } from '../host/types.ts';
import { buildSpec } from '../oci/build-spec.ts';
import { encodeSpec } from '../oci/encode-spec.ts';
import { maskedPaths, READONLY_PATHS } from '../oci/paths.ts';
import type { OciSpec } from '../oci/spec-types.ts';
import { resolveAllowPrivileged } from '../policy/allow-privileged.ts';
import { NO_IMAGE } from '../policy/image-pattern.ts';
import { admitCreate } from '../policy/privileged-gate.ts';
import { decodeCreate } from '../api/containers/decode-create.ts';
import { MAX_API_VERSION } from '../api/http/api-version.ts';
import { findOpenableDevices } from './openable-devices.ts';
import { readWalls, type Wall } from './read-walls.ts';

/** Where and with what the probe container runs. */
export interface ProbeOptions {
  /** The container's files are in a new directory below it, which is gone afterwards. */
  readonly directory: string;
  /** Its cgroup, absolute within the tree; the runtime removes it. */
  readonly cgroupPath: string;
  readonly processes: HostProcesses;
  readonly facts: HostFacts;
}

const TIMEOUT_MS = 20_000;
/** Directories of the host that make its programs run in an otherwise empty root. */
const PROGRAM_DIRECTORIES = ['/bin', '/lib', '/lib64', '/usr'];

/**
 * Runs a container as the gate and the spec builder make it for everybody, with the runtime itself, and looks from
 * inside whether the walls stand. A container that does not run is a wall that is missing.
 */
export async function probeWalls(options: ProbeOptions): Promise<readonly Wall[]> {
  await mkdir(options.directory, { recursive: true });
  const bundle = await mkdtemp(join(options.directory, 'berth-probe-'));
  try {
    const devices = await findOpenableDevices();
    const spec = await writeBundle(bundle, options, probeScript(devices, maskedPaths(options.facts.cpus)));
    const { code, stdout, stderr } = await options.processes.run(
      ['runc', '--root', join(bundle, 'state'), 'run', '--bundle', bundle, bundle.slice(-12)],
      { timeoutMs: TIMEOUT_MS },
    );
    if (code !== 0) return [didNotRun(stderr.trim() || `exit code ${String(code)}`)];
    return readWalls(stdout, { spec, devices });
  } catch (error) {
    return [didNotRun(messageOf(error))];
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

function didNotRun(why: string): Wall {
  return { name: 'probe container', stands: false, detail: `it did not run: ${why}` };
}

async function writeBundle(bundle: string, options: ProbeOptions, script: string): Promise<OciSpec> {
  await mkdir(join(bundle, 'rootfs'));
  const files = { hosts: 'hosts', hostname: 'hostname', resolvConf: 'resolv.conf' };
  const paths = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, join(bundle, file)]),
  ) as typeof files;
  await Promise.all(Object.values(paths).map((path) => writeFile(path, '')));
  const spec = probeSpec(options, { files: paths, script });
  await writeFile(join(bundle, 'config.json'), encodeSpec(spec));
  return spec;
}

function probeSpec(
  { facts, cgroupPath }: ProbeOptions,
  probe: { readonly files: Parameters<typeof buildSpec>[0]['files']; readonly script: string },
): OciSpec {
  const body = {
    Image: 'probe',
    HostConfig: { SecurityOpt: ['no-new-privileges'], CapDrop: ['NET_RAW'] },
  };
  const { request } = decodeCreate(Buffer.from(JSON.stringify(body)), MAX_API_VERSION);
  const { admitted } = admitCreate(request, {
    allowPrivileged: resolveAllowPrivileged({
      allowPrivileged: false,
      neutralise: [],
      hostPlatform: 'linux',
      fence: undefined,
    }),
    host: facts,
    budget: {
      memoryBytes: facts.memoryBytes,
      cpus: facts.cpus,
      pids: undefined,
      cpuset: { cpus: '', mems: '' },
    },
    findOwnContainer: () => undefined,
    describeImage: () => NO_IMAGE,
  });
  const { spec } = buildSpec({
    admitted,
    argv: ['/bin/bash', '-c', probe.script],
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C'],
    user: { uid: 0, gid: 0, additionalGids: [] },
    rootfsPath: 'rootfs',
    netnsPath: '',
    joined: { pid: '', ipc: '', sharedMemory: '' },
    cgroupPath,
    hostname: 'probe',
    files: probe.files,
    mounts: PROGRAM_DIRECTORIES.filter((path) => existsSync(path)).map((path) => ({
      type: 'bind',
      hostPath: path,
      destination: path,
      isReadWrite: false,
    })),
    initPath: '',
    host: facts,
  });
  // Nobody lays a network for the probe: an empty one of its own.
  const namespaces = spec.linux.namespaces.map(({ type }) => ({ type }));
  return { ...spec, linux: { ...spec.linux, namespaces } };
}

/** Prints what `readWalls` reads. It changes nothing that a missing wall would expose: files are opened, not written. */
function probeScript(devices: readonly HostDevice[], masked: readonly string[]): string {
  const opened = devices.map(
    ({ type, major, minor }, index) =>
      `mknod /dev/probe${index} ${type} ${major} ${minor} 2>/dev/null; ` +
      `if (: </dev/probe${index}) 2>/dev/null; then echo 'device ${index} opened'; fi`,
  );
  return [
    'cat /proc/self/status /proc/self/mountinfo',
    'echo "pid $$"',
    // What is allowed must work, or the refusals below would say nothing.
    "mknod /dev/probe c 1 3 && (: </dev/probe) && echo 'device null opened'",
    ...opened,
    `for path in ${masked.join(' ')}; do`,
    '  if [ -d "$path" ]; then [ -n "$(ls -A "$path")" ] && echo "seen $path"',
    '  elif [ -e "$path" ] && ! [ -c "$path" ]; then echo "seen $path"; fi',
    'done',
    `for path in ${READONLY_PATHS.join(' ')}; do [ -e "$path" ] && echo "there $path"; done`,
    '(: >>/proc/sys/kernel/domainname) 2>/dev/null && echo "written /proc/sys"',
    '(: >>/sys/kernel/mm/transparent_hugepage/enabled) 2>/dev/null && echo "written /sys"',
    'exit 0',
  ].join('\n');
}
