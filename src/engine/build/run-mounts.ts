import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanPath } from '../../dockerfile/clean-path.ts';
import { EngineError } from '../../errors.ts';
import type { CleanupStack } from '../../lib/cleanup-stack.ts';
import { createRandomId } from '../../lib/random-id.ts';
import type { RootHandle } from '../../rootfs/types.ts';
import type { MountRequest } from '../../wire/host-config.ts';
import { prepareAgent } from './agent-mount.ts';
import { oneMount, type PreparedMounts } from './prepared-mounts.ts';
import { parseRunMount, type RunMount } from './run-mount-syntax.ts';
import type { StageRun } from './stage-run.ts';
import { openSource } from './stage-source.ts';

/** The mounts of one RUN: what its cache key depends on, and how they are made when it really runs. */
export interface RunMounts {
  readonly dependsOn: readonly string[];
  /** Makes them; `undo` takes them away again. */
  prepare(undo: CleanupStack): Promise<PreparedMounts>;
}

const SECRET_MODE = 0o400;
const CACHE_MODE = 0o755;
const MAX_DESCRIPTION = 500;

/** Reads the `--mount` flags of a RUN; InvalidArgument in the parser's words. */
export async function planRunMounts(stage: StageRun, flags: readonly string[]): Promise<RunMounts> {
  const planned = flags.map(parseRunMount);
  const dependsOn: string[] = [];
  for (const mount of planned) dependsOn.push(...(await describeMount(stage, mount)));
  return {
    dependsOn,
    async prepare(undo) {
      const parts: PreparedMounts[] = [];
      for (const mount of planned) parts.push(await prepareMount(stage, mount, undo));
      const agents = planned.filter(({ type }) => type === 'ssh');
      for (const [index, mount] of agents.entries())
        parts.push(await prepareAgent(stage, { ...mount, target: targetOf(stage, mount, index) }, undo));
      return {
        mounts: parts.flatMap(({ mounts }) => mounts),
        tmpfs: parts.flatMap(({ tmpfs }) => tmpfs),
        env: parts.flatMap(({ env }) => env),
      };
    },
  };
}

// What is in a cache, and what a secret is, does not make it another step.
async function describeMount(stage: StageRun, mount: RunMount): Promise<readonly string[]> {
  if (mount.type !== 'bind') return [JSON.stringify(mount)];
  return withSource(stage, mount, async (root, path) => {
    const options = { isExcluded: () => false, signal: stage.run.signal };
    return [JSON.stringify(mount), await stage.run.job.buildFiles.hash({ root, path }, options)];
  });
}

async function prepareMount(stage: StageRun, mount: RunMount, undo: CleanupStack): Promise<PreparedMounts> {
  switch (mount.type) {
    case 'bind':
      return prepareBind(stage, mount, undo);
    case 'cache':
      return prepareCache(stage, mount, undo);
    case 'tmpfs':
      return { mounts: [], tmpfs: [tmpfsOf(stage, mount)], env: [] };
    case 'secret':
      return prepareSecret(stage, mount, undo);
    case 'ssh':
      // After the others: their places are numbered.
      return { mounts: [], tmpfs: [], env: [] };
  }
}

/** A copy of its own: what the step writes there is gone with it, and nothing of the source can be reached. */
async function prepareBind(stage: StageRun, mount: RunMount, undo: CleanupStack): Promise<PreparedMounts> {
  const { run } = stage;
  const directory = join(run.scratch, `mount-${createRandomId()}`);
  await mkdir(directory, { mode: 0o700 });
  undo.defer('bind of a build step', () => run.job.trees.remove(directory));
  const hostPath = join(directory, 'data');
  await withSource(stage, mount, async (root, path) => {
    const found = await run.job.buildFiles.find({ root, path });
    if (found?.kind === 'directory') await mkdir(hostPath, { mode: 0o755 });
    await copyTo(run, { root, path }, directory);
  });
  return oneMount(placeTarget(stage, mount.target), { hostPath, isReadWrite: !mount.isReadOnly });
}

async function copyTo(
  { job, signal }: StageRun['run'],
  from: { readonly root: RootHandle; readonly path: string },
  directory: string,
): Promise<void> {
  const root = await job.rootfs.openMounts(
    [{ type: 'bind', source: directory, target: '', options: ['rbind', 'rw'] }],
    { isOwn: true },
  );
  try {
    const to = { root, path: '/data' };
    const unchanged = { owner: undefined, mode: undefined, isExcluded: () => false };
    await job.buildFiles.copy({ from, to, ...unchanged, signal });
  } finally {
    await root.close();
  }
}

async function withSource<T>(
  stage: StageRun,
  mount: RunMount,
  use: (root: RootHandle, path: string) => Promise<T>,
): Promise<T> {
  const { run, index, report } = stage;
  const other =
    mount.from === '' ? undefined : await openSource(run, { from: mount.from, stage: index }, report);
  try {
    const root = other?.root ?? run.context;
    const found = await run.job.buildFiles.find({ root, path: cleanPath(`/${mount.source}`) });
    if (!found)
      throw new EngineError('NotFound', `failed to compute cache key: "/${mount.source}": not found`);
    return await use(root, found.path);
  } finally {
    await other?.close();
  }
}

async function prepareCache(stage: StageRun, mount: RunMount, undo: CleanupStack): Promise<PreparedMounts> {
  const { run } = stage;
  const target = placeTarget(stage, mount.target);
  const name = createHash('sha256')
    .update(mount.id === '' ? target : mount.id)
    .digest('hex');
  const place = await run.job.cacheMounts.open(name, mount.sharing, run.signal);
  undo.defer('cache mount', () => place.release());
  if (place.isNew) {
    if (mount.from !== '')
      await withSource(stage, mount, (root, path) => copyTo(run, { root, path }, place.directory));
    await chown(place.path, mount.uid, mount.gid);
    await chmod(place.path, mount.mode ?? CACHE_MODE);
    await place.settle(`mount ${target} from exec ${mount.id}`.trimEnd().slice(0, MAX_DESCRIPTION));
  }
  return oneMount(target, { hostPath: place.path, isReadWrite: !mount.isReadOnly });
}

async function prepareSecret(stage: StageRun, mount: RunMount, undo: CleanupStack): Promise<PreparedMounts> {
  const { run } = stage;
  const id = [mount.id, mount.source, mount.target.split('/').at(-1), mount.env].find((one) => one) ?? '';
  const bytes = await run.client.readSecret(id);
  if (!bytes) {
    if (!mount.isRequired) return { mounts: [], tmpfs: [], env: [] };
    throw new EngineError(
      'NotFound',
      `secret ${JSON.stringify(id)}: not found: secrets come with BuildKit's session, which this build has none of`,
    );
  }
  const env = mount.env === undefined ? [] : [`${mount.env}=${Buffer.from(bytes).toString('utf8')}`];
  if (mount.env !== undefined && mount.target === '') return { mounts: [], tmpfs: [], env };
  // In the run directory, which is memory on most hosts.
  const directory = join(run.job.paths.runDir, `secret-${createRandomId()}`);
  await mkdir(directory, { mode: 0o700 });
  undo.defer('secret', () => run.job.trees.remove(directory));
  const hostPath = join(directory, 'data');
  await writeFile(hostPath, bytes, { mode: 0o600, flag: 'wx' });
  await chown(hostPath, mount.uid, mount.gid);
  await chmod(hostPath, mount.mode ?? SECRET_MODE);
  const target = mount.target === '' ? `/run/secrets/${id}` : placeTarget(stage, mount.target);
  return { ...oneMount(cleanPath(target), { hostPath, isReadWrite: false }), env };
}

/** As BuildKit names it where nothing is said. */
function targetOf(stage: StageRun, { target }: RunMount, index: number): string {
  return target === '' ? `/run/buildkit/ssh_agent.${index}` : placeTarget(stage, target);
}

function tmpfsOf(stage: StageRun, mount: RunMount): MountRequest {
  return {
    Type: 'tmpfs',
    Target: placeTarget(stage, mount.target),
    ...(mount.sizeBytes > 0 ? { TmpfsOptions: { SizeBytes: mount.sizeBytes } } : {}),
  };
}

function placeTarget({ config }: StageRun, target: string): string {
  const path = cleanPath(target.startsWith('/') ? target : `/${config.workingDir}/${target}`);
  const isKernels = ['/proc', '/sys', '/dev'].some((top) => path === top || path.startsWith(`${top}/`));
  if (path === '/' || (isKernels && !path.startsWith('/dev/shm')))
    throw new EngineError('InvalidArgument', `invalid mount target ${JSON.stringify(target)}`);
  return path;
}
