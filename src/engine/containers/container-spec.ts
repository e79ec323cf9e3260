import type { Any } from '../../containerd/types.ts';
import { buildEnv } from '../../oci/env.ts';
import { buildSpec } from '../../oci/build-spec.ts';
import { encodeSpec } from '../../oci/encode-spec.ts';
import type { OciUser } from '../../oci/spec-types.ts';
import { resolveUser, type UserDatabase } from '../../oci/users.ts';
import type { Admitted } from '../../policy/admitted.ts';
import { admitCreate, admitMergedConfig, type CheckedCreate } from '../../policy/privileged-gate.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { Container } from '../../state/container.ts';
import { gateContextFor } from '../gate-context.ts';
import type { Job } from '../job.ts';
import { readyMounts } from '../mounts/ready-mounts.ts';
import { liveLinks } from './container-links.ts';
import { linkEnv } from './link-env.ts';
import { containerCgroup, containerPaths } from './container-paths.ts';
import { sandboxRequestOf } from './join-network.ts';

/** containerd's name for the type of a runtime spec in JSON. */
const SPEC_TYPE_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';
const MAX_USER_FILE_BYTES = 1024 * 1024;

/** What containerd stores until the real spec can be built. */
export function placeholderSpec(): Any {
  return toAny('{}');
}

/** The gate once more, before a start: what the operator has closed since the create stays closed. */
export function readmitContainer(job: Job, { record }: Container): Admitted<CheckedCreate> {
  const { config, networkingConfig } = record;
  // What it took from other containers is among its own mounts; they may be gone since.
  const hostConfig = { ...record.hostConfig, VolumesFrom: null };
  // Ports that an image exposes are in no conflict with another container's network, as those of a request are.
  const asked = { ...config, ExposedPorts: {} };
  const { admitted } = admitCreate(
    { config: asked, hostConfig, networkingConfig },
    gateContextFor(job, record),
  );
  return admitMergedConfig(admitted, config);
}

function needsDevices({ security, hostConfig }: CheckedCreate): boolean {
  return security.privileged || (hostConfig.Devices ?? []).length > 0;
}

/** The container's runtime spec for its present record. InvalidArgument for a user that its files do not know. */
export async function buildContainerSpec(
  job: Job,
  container: Container,
  admitted: Admitted<CheckedCreate>,
): Promise<Any> {
  const { record, id } = container;
  const { Hostname: hostname, Tty: tty, Env: env } = record.config;
  const linkVariables = liveLinks(job, container).flatMap((link) => linkEnv(record.name, link));
  const files = containerPaths(job, id);
  const { spec, warnings } = buildSpec({
    admitted,
    argv: record.argv,
    env: buildEnv({ hostname, tty, linkEnv: linkVariables, env: env ?? [] }),
    user: await findContainerUser(job, container),
    rootfsPath: 'rootfs',
    netnsPath: job.network.sandboxPath(sandboxRequestOf(container)),
    joined: {
      pid: job.namespacePins.pathOf({ ownerId: id, kind: 'pid' }),
      ipc: job.namespacePins.pathOf({ ownerId: id, kind: 'ipc' }),
      sharedMemory: job.sharedMemory.pathOf(id),
    },
    cgroupPath: containerCgroup(job, record),
    hostname,
    files,
    mounts: record.mounts,
    initPath: job.settings.initPath,
    loadedAppArmorProfiles: job.appArmorProfiles,
    devices: needsDevices(admitted) ? await job.listDevices() : [],
    host: job.host,
  });
  for (const warning of warnings) job.log.warn({ containerId: id, warning }, 'container lacks a wall');
  return toAny(encodeSpec(spec));
}

/** Brings the spec that containerd has up to date; most starts find it so. */
export async function storeContainerSpec(
  job: Job,
  container: Container,
  admitted: Admitted<CheckedCreate>,
): Promise<void> {
  await readyMounts(job, container.record);
  const spec = await buildContainerSpec(job, container, admitted);
  const text = specText(spec);
  if (text === container.storedSpec) return;
  await job.containerd.containers.update({ id: container.id, spec }, ['spec']);
  container.storedSpec = text;
}

/** The JSON text of a stored spec. */
export function specText(spec: Any): string {
  return Buffer.from(spec.value).toString('utf8');
}

function toAny(text: string): Any {
  return { typeUrl: SPEC_TYPE_URL, value: Buffer.from(text) };
}

/** Looks the container's user up in its own files, as they are now. */
async function findContainerUser(job: Job, container: Container): Promise<OciUser> {
  const { config, hostConfig } = container.record;
  return resolveUser(config.User, await readOwnUsers(job, container), hostConfig.GroupAdd ?? []);
}

/** Of a container that nobody has written to yet these are its image's, which are read once. */
async function readOwnUsers(job: Job, { record, rootMounts }: Container): Promise<UserDatabase> {
  const known = record.isRootfsTouched ? undefined : job.imageUsers.get(record.chainId);
  if (known) return known;
  const root = await job.rootfs.openMounts(rootMounts);
  try {
    const users = await readUsers(job, root);
    if (!record.isRootfsTouched) job.imageUsers.set(record.chainId, users);
    return users;
  } finally {
    await root.close();
  }
}

async function readUsers(job: Job, root: RootHandle): Promise<UserDatabase> {
  const read = async (path: string): Promise<string> =>
    (await job.rootfs.readFile(root, path, MAX_USER_FILE_BYTES))?.toString('utf8') ?? '';
  const [passwd, group] = await Promise.all([read('/etc/passwd'), read('/etc/group')]);
  return { passwd, group };
}

/** Looks a user up in the passwd and group files below a root. */
export async function findUser(
  job: Job,
  root: RootHandle,
  wanted: { readonly user: string; readonly groupAdd: readonly string[] },
): Promise<OciUser> {
  return resolveUser(wanted.user, await readUsers(job, root), wanted.groupAdd);
}
