import { decodeCreate } from '../../src/api/containers/decode-create.ts';
import type { Decoded } from '../../src/api/http/decode.ts';
import { NO_IMAGE } from '../../src/policy/image-pattern.ts';
import type { Budget, GateContext, GateHost } from '../../src/policy/gate-context.ts';
import type { CreateRequest } from '../../src/wire/create-request.ts';
import { admitCreate, type Admission, type CheckedCreate } from '../../src/policy/privileged-gate.ts';

/** A machine with cgroup v1 and every limit, four processors and 8 GiB, whose kernel knows all capabilities and grants all. */
export const GATE_HOST: GateHost = {
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  cgroupVersion: '1',
  limits: {
    memory: true,
    swap: true,
    oomKillDisable: true,
    cpuCfsPeriod: true,
    cpuCfsQuota: true,
    cpuShares: true,
    cpuSet: true,
    pids: true,
    blkioWeight: true,
  },
  ipv4Forwarding: true,
  lastCap: 40,
  boundingSet: (1n << 41n) - 1n,
  highestUlimits: new Map([['nofile', 1_048_576]]),
  hasSeccomp: true,
  hasAppArmor: false,
  hasSelinux: false,
};

/** The one container that the job of these gates owns. */
export const OWN_CONTAINER = { name: 'mine', id: 'a'.repeat(64) } as const;

/** A gate that is closed (`allowed: false`) or open on a machine like GATE_HOST but for what is given. */
export function gateWith(allowed: boolean, host: Partial<GateHost> = {}): GateContext {
  return {
    allowPrivileged: {
      allowed,
      reason: `dind.allow_privileged is ${allowed ? 'true' : 'false'}`,
      fence: 'none',
      rules: [],
      neutralised: [],
    },
    describeImage: () => NO_IMAGE,
    host: { ...GATE_HOST, ...host },
    budget: budgetOf({ ...GATE_HOST, ...host }),
    findOwnContainer: (ref) =>
      ref === OWN_CONTAINER.name || ref === OWN_CONTAINER.id ? OWN_CONTAINER.id : undefined,
  };
}

/** What a job may use that nothing limits. */
export function budgetOf(host: Pick<GateHost, 'memoryBytes' | 'cpus'>): Budget {
  const cpuset = { cpus: `0-${host.cpus - 1}`, mems: '0' };
  return { memoryBytes: host.memoryBytes, cpus: host.cpus, pids: undefined, cpuset };
}

/** Decodes a body given as text. */
export function decodeText(body: string): Decoded<CreateRequest> {
  return decodeCreate(new TextEncoder().encode(body), '1.51');
}

/** Decodes and admits a body given as an object, for an image that is never looked at. */
export function admitBody(body: object, gate: GateContext = gateWith(false)): Admission<CheckedCreate> {
  return admitText(JSON.stringify({ Image: 'busybox', ...body }), gate);
}

/** Decodes and admits a body given as text. */
export function admitText(body: string, gate: GateContext = gateWith(false)): Admission<CheckedCreate> {
  return admitCreate(decodeText(body).request, gate);
}

/** What became of a body: its status's kind, or `admitted` with the warnings. */
export function outcomeOf(act: () => Admission<unknown>): { readonly kind: string; readonly text: string } {
  try {
    return { kind: 'admitted', text: act().warnings.join('\n') };
  } catch (error) {
    if (error instanceof Error && 'kind' in error && typeof error.kind === 'string') {
      return { kind: error.kind, text: error.message };
    }
    throw error;
  }
}
