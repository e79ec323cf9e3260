import { EngineError } from '../errors.ts';
import type { DeviceMapping, HostConfig } from '../wire/host-config.ts';
import type { OciDevice, OciDeviceRule } from './spec-types.ts';

/** A container's device nodes, and what its device cgroup allows beside Docker's own. */
export interface DeviceSettings {
  readonly nodes: readonly OciDevice[];
  readonly rules: readonly OciDeviceRule[];
}

/**
 * The devices of an admitted request, from those that the machine has: a path of a client is looked up in that list,
 * and nowhere else. InvalidArgument, in dockerd's words, for one that is not there.
 */
export function buildDevices(
  { Privileged: privileged, Devices: mappings, DeviceCgroupRules: texts }: HostConfig,
  host: readonly OciDevice[],
): DeviceSettings {
  const asked = (mappings ?? []).flatMap((mapping) => mapDevice(mapping, host));
  const nodes = new Map((privileged ? host : []).map((node) => [node.path, node]));
  for (const { node } of asked) nodes.set(node.path, node);
  return {
    nodes: [...nodes.values()],
    rules: privileged ? [] : [...asked.map(({ rule }) => rule), ...(texts ?? []).map(ruleOf)],
  };
}

interface MappedDevice {
  readonly node: OciDevice;
  readonly rule: OciDeviceRule;
}

function mapDevice(mapping: DeviceMapping, host: readonly OciDevice[]): readonly MappedDevice[] {
  const { PathOnHost: from, PathInContainer: to, CgroupPermissions: access } = mapping;
  const directory = from.replace(/\/*$/, '/');
  const found = host.filter(({ path }) => path === from || path.startsWith(directory));
  if (found.length === 0)
    throw new EngineError(
      'InvalidArgument',
      `error gathering device information while adding custom device ${JSON.stringify(from)}: no such device`,
    );
  return found.map((node) => ({
    node: { ...node, path: to === '' ? node.path : `${to}${node.path.slice(from.length)}` },
    rule: {
      allow: true,
      type: node.type === 'b' ? 'b' : 'c',
      major: node.major,
      minor: node.minor,
      access: access || 'rwm',
    },
  }));
}

/** The gate has seen that it is one. */
function ruleOf(text: string): OciDeviceRule {
  const [type = '', numbers = '', access = ''] = text.split(' ');
  const [major = '*', minor = '*'] = numbers.split(':');
  return {
    allow: true,
    ...(type === 'a' ? {} : { type: type as 'b' | 'c' }),
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}
