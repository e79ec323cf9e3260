import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createHostCgroups } from '../host/cgroups.ts';
import { readHostFacts } from '../host/facts.ts';
import { createHostProcesses } from '../host/processes.ts';
import type { HostFacts, HostProcesses } from '../host/types.ts';
import { messageOf } from '../errors.ts';
import { adviseOn } from './advisories.ts';
import { probeWalls } from './probe-walls.ts';

/** One finding about the host. `weak` is served with, and said; `missing` must be mended first. */
export interface HostCheck {
  readonly name: string;
  readonly outcome: 'ok' | 'weak' | 'missing';
  readonly detail: string;
}

/** Programs that berth runs: what each prints of itself is its version. */
const PROGRAMS: readonly { readonly argv: readonly string[]; readonly isNeeded: boolean }[] = [
  { argv: ['containerd', '--version'], isNeeded: true },
  { argv: ['containerd-shim-runc-v2', '-v'], isNeeded: true },
  { argv: ['runc', '--version'], isNeeded: true },
  { argv: ['ip', '-V'], isNeeded: true },
  { argv: ['nft', '--version'], isNeeded: true },
  { argv: ['nsenter', '--version'], isNeeded: true },
  { argv: ['unshare', '--version'], isNeeded: true },
  { argv: ['bash', '--version'], isNeeded: true },
  { argv: ['iptables', '--version'], isNeeded: false },
  { argv: ['openssl', 'version'], isNeeded: false },
  { argv: ['tini-static', '--version'], isNeeded: false },
];

/** openat2(2) and the mount calls that berth's walls stand on came with it. */
const OLDEST_KERNEL = [5, 10] as const;

/** Looks at the host: programs, kernel, cgroups, and, by a probe container, whether the walls stand. */
export async function checkHost(): Promise<readonly HostCheck[]> {
  const processes = createHostProcesses();
  const facts = await readHostFacts(await createHostCgroups());
  const programs = await Promise.all(PROGRAMS.map((program) => checkProgram(processes, program)));
  return [
    checkRoot(),
    checkKernel(facts.kernelVersion),
    await checkOverlay(),
    checkCgroups(facts),
    checkCapabilities(facts),
    ...programs,
    ...checkAdvisories(programs),
    ...(await checkWalls(processes, facts)),
    {
      name: 'apparmor',
      outcome: 'ok',
      detail: facts.hasAppArmor ? 'in the kernel; used for profiles that are loaded' : 'not in the kernel',
    },
  ];
}

function checkRoot(): HostCheck {
  const isRoot = process.getuid?.() === 0;
  return {
    name: 'root',
    outcome: isRoot ? 'ok' : 'missing',
    detail: isRoot ? 'yes' : 'berth must run as root',
  };
}

function checkKernel(version: string): HostCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNew = major > OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor >= OLDEST_KERNEL[1]);
  return {
    name: 'kernel',
    outcome: isNew ? 'ok' : 'missing',
    detail: `${version} (needs ${OLDEST_KERNEL.join('.')})`,
  };
}

async function checkOverlay(): Promise<HostCheck> {
  const isThere = (await readFile('/proc/filesystems', 'utf8')).includes('\toverlay\n');
  return {
    name: 'overlayfs',
    outcome: isThere ? 'ok' : 'missing',
    detail: isThere ? 'in the kernel' : 'not loaded: try modprobe overlay',
  };
}

function checkCgroups({ cgroupVersion, limits }: HostFacts): HostCheck {
  const absent = Object.entries({ memory: limits.memory, cpu: limits.cpuCfsQuota, pids: limits.pids })
    .filter(([, isThere]) => !isThere)
    .map(([name]) => name);
  return {
    name: 'cgroups',
    outcome: absent.length === 0 ? 'ok' : 'weak',
    detail: `version ${cgroupVersion}${absent.length === 0 ? '' : `, without limits for ${absent.join(', ')}`}`,
  };
}

function checkCapabilities({ boundingSet, lastCap }: HostFacts): HostCheck {
  const all = (1n << BigInt(lastCap + 1)) - 1n;
  const isWhole = (boundingSet & all) === all;
  return {
    name: 'capabilities',
    outcome: 'ok',
    detail: isWhole
      ? 'all can be granted'
      : `some cannot be granted (bounding set ${boundingSet.toString(16)})`,
  };
}

async function checkProgram(
  processes: HostProcesses,
  { argv, isNeeded }: (typeof PROGRAMS)[number],
): Promise<HostCheck> {
  const [name = ''] = argv;
  try {
    const { stdout, stderr } = await processes.run(argv, { timeoutMs: 10_000 });
    const [line = ''] = (stdout || stderr).trim().split('\n');
    return { name, outcome: 'ok', detail: line };
  } catch (error) {
    return { name, outcome: isNeeded ? 'missing' : 'weak', detail: messageOf(error) };
  }
}

/** Walls as a container finds them, and what the runtime's and containerd's versions tell. */
async function checkWalls(processes: HostProcesses, facts: HostFacts): Promise<readonly HostCheck[]> {
  const name = `berth-doctor-${randomUUID().slice(0, 8)}`;
  const walls = await probeWalls({ directory: tmpdir(), cgroupPath: `/${name}`, processes, facts });
  return walls.map((wall) => ({
    name: wall.name,
    outcome: wall.stands ? ('ok' as const) : ('missing' as const),
    detail: wall.detail,
  }));
}

/** Only a hint, so never more than weak. */
function checkAdvisories(programs: readonly HostCheck[]): readonly HostCheck[] {
  return (['runc', 'containerd'] as const).flatMap((program) => {
    const detail = programs.find(({ name }) => name === program)?.detail ?? '';
    const advice = adviseOn(program, /v?\d+\.\d+\.\d+\S*/.exec(detail)?.[0] ?? '');
    return advice === undefined
      ? []
      : [{ name: `${program} version`, outcome: 'weak' as const, detail: advice }];
  });
}
