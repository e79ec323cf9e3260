import type { HostDevice } from '../host/devices.ts';
import { parseMountInfo } from '../host/mounts.ts';
import type { OciSpec } from '../oci/spec-types.ts';
import { capabilityMask } from '../policy/capabilities.ts';

/** One wall between a container and the machine, as a container has found it. */
export interface Wall {
  readonly name: string;
  readonly stands: boolean;
  readonly detail: string;
}

/** Reads what the probe container printed: its own status and mounts, and what it could open, see or write. */
export function readWalls(
  output: string,
  probe: { readonly spec: OciSpec; readonly devices: readonly HostDevice[] },
): readonly Wall[] {
  return [
    readSeccomp(output),
    readFlag(output),
    readCapabilities(output, probe.spec),
    readDevices(output, probe),
    readMasked(output),
    readReadonly(output, probe.spec),
    readPids(output),
  ];
}

function wall(name: string, fault: string | undefined, fine: string): Wall {
  return { name, stands: fault === undefined, detail: fault ?? fine };
}

function field(output: string, name: string): string {
  return new RegExp(`^${name}:\\t(.*)$`, 'm').exec(output)?.[1] ?? 'unknown';
}

function lines(output: string, start: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(`${start} `))
    .map((line) => line.slice(start.length + 1));
}

function readSeccomp(output: string): Wall {
  const mode = field(output, 'Seccomp');
  return wall(
    'seccomp',
    mode === '2' ? undefined : `no filter is active (mode ${mode})`,
    'a filter is active',
  );
}

function readFlag(output: string): Wall {
  const isSet = field(output, 'NoNewPrivs') === '1';
  return wall('no-new-privileges', isSet ? undefined : 'asked for and not set', 'set where asked for');
}

function readCapabilities(output: string, { process }: OciSpec): Wall {
  const expected = capabilityMask(process.capabilities.bounding);
  const wrong = ['CapBnd', 'CapPrm', 'CapEff'].filter((name) => {
    const digits = field(output, name);
    return !/^[0-9a-f]+$/.test(digits) || BigInt(`0x${digits}`) !== expected;
  });
  return wall(
    'capability drop',
    wrong.length === 0 ? undefined : `${wrong.join(', ')} not as given (${expected.toString(16)})`,
    'dropped as given',
  );
}

function readDevices(
  output: string,
  { spec, devices }: { readonly spec: OciSpec; readonly devices: readonly HostDevice[] },
): Wall {
  if (!spec.process.capabilities.bounding.includes('CAP_MKNOD'))
    return wall('device cgroup', undefined, 'no container can make a device node');
  const opened = lines(output, 'device').map((line) => line.split(' ')[0] ?? '');
  const foreign = opened.flatMap((index) => devices[Number(index)]?.path ?? []);
  const tried = devices.map(({ path }) => path).join(', ') || 'none of the machine can be opened at all';
  if (foreign.length > 0) return wall('device cgroup', `${foreign.join(', ')} could be opened`, '');
  return wall(
    'device cgroup',
    opened.includes('null') ? undefined : 'not even /dev/null could be made and opened: nothing is proved',
    `closed (tried: ${tried})`,
  );
}

function readMasked(output: string): Wall {
  const seen = lines(output, 'seen');
  return wall('masked paths', seen.length === 0 ? undefined : `${seen.join(', ')} can be seen`, 'masked');
}

function readReadonly(output: string, { linux }: OciSpec): Wall {
  const written = lines(output, 'written');
  const mounts = parseMountInfo(
    output
      .split('\n')
      .filter((line) => /^\d+ \d+ \d+:\d+ /.test(line))
      .map((line) => `${line}\n`)
      .join(''),
  );
  const isOpen = (path: string): boolean => {
    const last = mounts.findLast(({ mountPoint }) => mountPoint === path);
    return last?.options.split(',').includes('ro') !== true;
  };
  const open = [
    '/sys',
    ...linux.readonlyPaths.filter((path) => lines(output, 'there').includes(path)),
  ].filter(isOpen);
  const faults = [...new Set([...open, ...written])];
  return wall(
    'read-only paths',
    faults.length === 0 ? undefined : `${faults.join(', ')} can be written`,
    'read-only',
  );
}

function readPids(output: string): Wall {
  const [pid = 'unknown'] = lines(output, 'pid');
  return wall('process namespace', pid === '1' ? undefined : `the first process has pid ${pid}`, 'its own');
}
