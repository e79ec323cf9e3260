import { isErrorKind, messageOf, EngineError, type ErrorKind } from '../../errors.ts';
import type { HostDevice } from '../../host/devices.ts';
import type { HostFacts } from '../../host/types.ts';
import { buildEnv } from '../../oci/env.ts';
import { buildSpec } from '../../oci/build-spec.ts';
import { NO_RUN_CONFIG, type ImageConfig, type ImageRunConfig } from '../../oci/image-config.ts';
import { mergeImageConfig } from '../../oci/merge-image-config.ts';
import type { PreparedMount } from '../../oci/mounts.ts';
import type { OciSpec, OciUser } from '../../oci/spec-types.ts';
import { resolveUser, type UserDatabase } from '../../oci/users.ts';
import type { Admitted } from '../../policy/admitted.ts';
import { askedFields } from '../../policy/asked-fields.ts';
import type { Decision } from '../../policy/decision.ts';
import type { GateContext } from '../../policy/gate-context.ts';
import { admitCreate, admitMergedConfig, type CheckedCreate } from '../../policy/privileged-gate.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import { planBinds } from '../mounts/plan-binds.ts';
import { planVolumes } from './plan-volumes.ts';

/** What an explanation is made from; nothing of it asks containerd or a registry. */
export interface ExplainParts {
  readonly gate: GateContext;
  readonly host: HostFacts;
  readonly appArmorProfiles: readonly string[];
  readonly initPath: string;
  readonly cgroupPath: string;
  readonly listDevices: () => Promise<readonly HostDevice[]>;
  /** The image and its users, where they are known without looking anywhere. */
  readonly findImage: (
    imageRef: string,
  ) => { readonly config: ImageConfig; readonly users: UserDatabase | undefined } | undefined;
}

/** A create request to be explained. */
export interface Explained {
  readonly request: CreateRequest;
  /** What the decoder makes of an image's name alone. */
  readonly plain: CreateRequest;
  /** Members of the body that nobody knows. */
  readonly ignored: readonly string[];
}

/** One field's verdict: `taken` is as asked. */
export interface FieldVerdict extends Omit<Decision, 'verdict'> {
  readonly verdict: Decision['verdict'] | 'taken' | 'ignored';
}

/** What would become of a create request. */
export interface Explanation {
  readonly admitted: boolean;
  /** Why not, as the client would read it. */
  readonly refusal?: { readonly kind: ErrorKind; readonly message: string };
  readonly fields: readonly FieldVerdict[];
  readonly warnings: readonly string[];
  /** What this explanation had to assume. */
  readonly notes: readonly string[];
  readonly spec?: OciSpec;
}

const ID = '0'.repeat(64);
const JOINED = {
  pid: '(PID namespace of the other container)',
  ipc: '(IPC namespace of the other container)',
  sharedMemory: '(shared memory)',
};
const FILES = { hosts: '(hosts)', hostname: '(hostname)', resolvConf: '(resolv.conf)' };
/** Stands for an image that is not known. */
const UNKNOWN_IMAGE: ImageRunConfig = { ...NO_RUN_CONFIG, cmd: ['(command of the image)'] };

/** The gate's verdict on every field of a request, and the runtime spec that it would lead to; makes and starts nothing. */
export async function explainCreate(parts: ExplainParts, explained: Explained): Promise<Explanation> {
  const decisions: Decision[] = [];
  const gate = { ...parts.gate, onDecision: (decision: Decision) => void decisions.push(decision) };
  const notes: string[] = [];
  try {
    const { admitted, warnings } = admitCreate(explained.request, gate);
    const spec = await specOf(parts, admitted, notes);
    return { admitted: true, fields: fieldsOf(explained, decisions), warnings, notes, spec };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const refusal = { kind: error.kind, message: error.message };
    return { admitted: false, refusal, fields: fieldsOf(explained, decisions), warnings: [], notes };
  }
}

function fieldsOf(
  { request, plain, ignored }: Explained,
  decisions: readonly Decision[],
): readonly FieldVerdict[] {
  const decided = new Set(decisions.map(({ field }) => field));
  const taken = askedFields(request, plain).filter(({ field }) => !decided.has(field));
  return [
    ...decisions,
    ...taken.map(({ field, reason }): FieldVerdict => ({ verdict: 'taken', field, reason })),
    ...ignored.map((field): FieldVerdict => ({ verdict: 'ignored', field, reason: 'no field of this API' })),
  ];
}

async function specOf(
  parts: ExplainParts,
  asked: Admitted<CheckedCreate>,
  notes: string[],
): Promise<OciSpec> {
  const image = parts.findImage(asked.config.Image);
  if (!image)
    notes.push('The image is not known here: a plain one is assumed, without environment or volumes.');
  const merged = mergeImageConfig(asked.config, { config: image?.config.config ?? UNKNOWN_IMAGE });
  const hostname = merged.config.Hostname || ID.slice(0, 12);
  const admitted = admitMergedConfig(asked, { ...merged.config, Hostname: hostname });
  const { Tty: tty, Env: env } = admitted.config;
  const mounts = mountsOf(admitted);
  if (mounts.length > 0)
    notes.push('Sources of mounts are shown as asked: they are looked up at the create.');
  const { spec, warnings } = buildSpec({
    admitted,
    argv: merged.argv,
    env: buildEnv({ hostname, tty, linkEnv: [], env: env ?? [] }),
    user: userOf(admitted, image?.users, notes),
    rootfsPath: 'rootfs',
    netnsPath: '(network namespace)',
    cgroupPath: `${parts.cgroupPath}/${ID}`,
    joined: JOINED,
    hostname,
    files: FILES,
    mounts,
    initPath: parts.initPath,
    loadedAppArmorProfiles: parts.appArmorProfiles,
    devices: await parts.listDevices(),
    host: parts.host,
  });
  notes.push(...warnings);
  return spec;
}

function mountsOf(request: CreateRequest): readonly PreparedMount[] {
  return [
    ...planBinds(request.hostConfig).map(({ source, destination, isReadOnly }) => ({
      type: 'bind' as const,
      hostPath: source,
      destination,
      isReadWrite: !isReadOnly,
    })),
    ...planVolumes(request).map(({ name, destination, isReadOnly }) => ({
      type: 'volume' as const,
      hostPath: `(volume ${name ?? 'of its own'})`,
      destination,
      isReadWrite: !isReadOnly,
    })),
  ];
}

function userOf(
  { config, hostConfig }: CreateRequest,
  users: UserDatabase | undefined,
  notes: string[],
): OciUser {
  try {
    return resolveUser(config.User, users ?? { passwd: '', group: '' }, hostConfig.GroupAdd ?? []);
  } catch (error) {
    if (!isErrorKind(error, 'InvalidArgument')) throw error;
    // As dockerd, a create does not look for the user.
    notes.push(
      users === undefined
        ? `The image's users are not known here; root is shown (${messageOf(error)}).`
        : `Its start would fail (${messageOf(error)}); root is shown.`,
    );
    return { uid: 0, gid: 0, additionalGids: [0] };
  }
}
