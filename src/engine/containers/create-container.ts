import { mkdir, rm } from 'node:fs/promises';
import { limitReached } from '../../errors.ts';
import { createCleanupStack } from '../../lib/cleanup-stack.ts';
import { formatTimeNs } from '../../lib/clock.ts';
import { createRandomId } from '../../lib/random-id.ts';
import { mergeImageConfig } from '../../oci/merge-image-config.ts';
import type { Admitted } from '../../policy/admitted.ts';
import { cleanPath } from '../../policy/mount-point.ts';
import { admitCreate, admitMergedConfig, type CheckedCreate } from '../../policy/privileged-gate.ts';
import type { ContainerMount, ContainerRecord } from '../../state/container.ts';
import type { Image } from '../../state/image-store.ts';
import type { CreateRequest } from '../../wire/create-request.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import { openForPlatform } from '../images/open-variant.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { containerPaths } from './container-paths.ts';
import { buildContainerSpec, placeholderSpec, specText } from './container-spec.ts';
import { createMounts, type CreatedMounts } from './create-mounts.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { generateName } from './generate-name.ts';
import { portRequestsOf } from './port-requests.ts';
import { resolveLinks } from './container-links.ts';
import { initialNetworks } from './container-networks.ts';
import { onInitLayer } from './init-layer.ts';
import { newContainer } from './new-container.ts';
import { encodeRecord, RECORD_EXTENSION } from './stored-record.ts';
import { requireOwnPlaces } from './require-own-places.ts';
import { checkContainerName } from './container-name.ts';

const RUNTIME = 'io.containerd.runc.v2';

/** What `docker create` asks for besides the body. */
export interface CreateOptions {
  /** Empty: one is made up. */
  readonly name: string;
  readonly request: CreateRequest;
  /** `os/arch[/variant]`, or empty. */
  readonly platform: string;
  /** Warnings that were found while the body was read. */
  readonly warnings: readonly string[];
  /** True for the runner's job container: no client sees it. */
  readonly isHidden?: boolean;
  /** An image of berth's own making that no client can name, in place of the request's. */
  readonly image?: Image;
  /** Mounts that berth itself decided on; no client has a way to these. */
  readonly extraMounts?: readonly ContainerMount[];
}

/** `POST /containers/create`: the gate, the image, then everything the container owns, or nothing of it. */
export async function createContainer(
  job: Job,
  options: CreateOptions,
): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
  const { Image: imageRef } = options.request.config;
  const gate = auditedGate(job, gateContextOf(job), { verb: 'create', image: imageRef });
  const asked = admitCreate(options.request, gate);
  if (options.name !== '') checkContainerName(options.name);
  const links = resolveLinks(job, asked.admitted.hostConfig);
  const image = options.image ?? (await openForPlatform(job, asked.admitted.config.Image, options.platform));
  const merged = mergeImageConfig(asked.admitted.config, image.config);
  const id = createRandomId();
  const admitted = admitMergedConfig(asked.admitted, {
    ...merged.config,
    WorkingDir: merged.config.WorkingDir && cleanPath(merged.config.WorkingDir),
    Hostname: merged.config.Hostname || id.slice(0, 12),
  });
  // An image may expose what cannot be published.
  portRequestsOf(admitted);
  const warnings = [...options.warnings, ...asked.warnings];
  for (const warning of warnings)
    job.log.warn({ containerId: id, warning }, 'container gets less than it asked for');
  const { pulledNames, digests } = gate.describeImage(imageRef);
  const imageFacts = { pulledNames, digests };
  await makeContainer(job, { id, options, image, admitted, argv: merged.argv, links, warnings, imageFacts });
  return { id, warnings };
}

interface Making {
  readonly id: string;
  readonly options: CreateOptions;
  readonly image: Image;
  readonly admitted: Admitted<CheckedCreate>;
  readonly argv: readonly string[];
  readonly links: ContainerRecord['links'];
  readonly warnings: readonly string[];
  readonly imageFacts: NonNullable<ContainerRecord['imageFacts']>;
}

async function makeContainer(job: Job, making: Making): Promise<void> {
  const { id, options } = making;
  const undo = createCleanupStack((step, error) => {
    job.log.error({ err: error, containerId: id, step }, 'undo of container create failed');
  });
  try {
    const name = reserveName(job, options.name, id);
    undo.defer('name', () => {
      job.containers.releaseName(name);
    });
    const { stateDir } = containerPaths(job, id);
    await mkdir(stateDir, { mode: 0o700 });
    undo.defer('state directory', () => rm(stateDir, { recursive: true, force: true }));
    const created = await createMounts(job, { containerId: id, request: making.admitted, undo });
    const mounts = [...created.mounts, ...(options.extraMounts ?? [])];
    const record = makeRecord(job, making, { name, mounts });
    await storeContainer(job, { making, record, created, undo });
    undo.commit();
    created.release();
  } finally {
    await undo.dispose();
  }
}

function reserveName(job: Job, asked: string, id: string): string {
  const isTaken = (name: string): boolean => job.containers.hasName(name);
  const { containers: most } = job.settings.limits;
  if (job.containers.countNames() >= most) throw limitReached('containers', most);
  const name = asked === '' ? generateName(isTaken) : asked.replace(/^\//, '');
  job.containers.reserveName(name, id);
  return name;
}

function makeRecord(
  job: Job,
  making: Making,
  made: { readonly name: string; readonly mounts: readonly ContainerMount[] },
): ContainerRecord {
  const { id, image, admitted, argv, warnings, options, links } = making;
  return {
    version: 1,
    id,
    name: made.name,
    createdAt: formatTimeNs(job.nowNs()),
    imageId: image.id,
    manifestDigest: image.manifest.digest,
    chainId: image.chainId,
    imageFacts: making.imageFacts,
    config: admitted.config,
    hostConfig: admitted.hostConfig,
    networkingConfig: admitted.networkingConfig,
    networks: initialNetworks(job, admitted),
    links,
    argv,
    mounts: made.mounts,
    warnings,
    state: { status: 'created', lastError: '', lastExitCode: 0 },
    restartCount: 0,
    isStopRequested: false,
    isRootfsTouched: false,
    endpoints: {},
    ports: [],
    isHidden: options.isHidden ?? false,
  };
}

async function storeContainer(
  job: Job,
  storing: {
    readonly making: Making;
    readonly record: ContainerRecord;
    readonly created: CreatedMounts;
    readonly undo: ReturnType<typeof createCleanupStack>;
  },
): Promise<void> {
  const { record, undo } = storing;
  const snapshots = job.store.withLease(job.leaseId).snapshots;
  undo.defer('snapshot', () => ignoreAbsent(snapshots.remove(record.id)));
  const [snapshot, initLayer] = await Promise.all([
    snapshots.prepare({ key: record.id, parent: record.chainId, labels: {} }),
    job.initLayer(),
  ]);
  const rootMounts = onInitLayer(snapshot, initLayer);
  await requireOwnPlaces(job, record, rootMounts);
  await storing.created.fill(rootMounts);
  const container = newContainer(record, rootMounts);
  // A user that the image does not know is the start's error, as in dockerd; until then a placeholder is stored.
  const spec = await buildContainerSpec(job, container, storing.making.admitted).catch(() =>
    placeholderSpec(),
  );
  undo.defer('container record', () => ignoreAbsent(job.containerd.containers.delete(record.id)));
  await job.containerd.containers.create({
    id: record.id,
    labels: {},
    image: '',
    runtime: { name: RUNTIME },
    spec,
    // Its snapshot is in another namespace, under the job's lease.
    snapshotter: '',
    snapshotKey: '',
    extensions: { [RECORD_EXTENSION]: encodeRecord(record) },
  });
  container.storedSpec = specText(spec);
  job.containers.add(container);
  emitContainerEvent(job, container, { action: 'create' });
}
