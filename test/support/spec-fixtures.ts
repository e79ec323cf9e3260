import { buildSpec, type SpecInput } from '../../src/oci/build-spec.ts';
import type { OciMount, OciSpec } from '../../src/oci/spec-types.ts';
import { admitBody, GATE_HOST, gateWith } from './gate-fixtures.ts';

/** GATE_HOST with what the spec builder asks of it. */
export const SPEC_HOST = { ...GATE_HOST, architecture: 'amd64', kernelVersion: '6.1.0' };

/** Input for a body that the open gate admits. */
export function inputFor(body: object, more: Partial<SpecInput> = {}): SpecInput {
  return {
    admitted: admitBody(body, gateWith(true)).admitted,
    argv: ['/bin/app', '-x'],
    env: ['PATH=/bin', 'A=1'],
    user: { uid: 5, gid: 6, additionalGids: [6, 7] },
    rootfsPath: 'rootfs',
    netnsPath: '/run/netns/c',
    joined: { pid: '/run/ns/c-pid', ipc: '/run/ns/c-ipc', sharedMemory: '/run/shm/c' },
    cgroupPath: '/job/c',
    hostname: 'name',
    files: { hosts: '/s/hosts', hostname: '/s/hostname', resolvConf: '/s/resolv.conf' },
    mounts: [],
    initPath: '/usr/bin/tini',
    host: SPEC_HOST,
    ...more,
  };
}

/** The spec of a body that the open gate admits. */
export function specOf(body: object, more: Partial<SpecInput> = {}): OciSpec {
  return buildSpec(inputFor(body, more)).spec;
}

/** The spec of a HostConfig that the open gate admits. */
export function hostSpec(hostConfig: object, more: Partial<SpecInput> = {}): OciSpec {
  return specOf({ HostConfig: hostConfig }, more);
}

/** The one mount at a place; an error where there are several. */
export function mountAt(spec: OciSpec, destination: string): OciMount | undefined {
  const [found, ...more] = spec.mounts.filter((mount) => mount.destination === destination);
  if (more.length > 0) {
    throw new Error(`several mounts at ${destination}`);
  }
  return found;
}
