import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { BuildSession, RemoteBuilder, RemoteSolve } from '../../buildkit/types.ts';
import { parseStages } from '../../dockerfile/parse-stages.ts';
import { EngineError } from '../../errors.ts';
import { admitBuild, admitCreate } from '../../policy/privileged-gate.ts';
import type { BuildRequest } from '../../wire/build-request.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import { auditedGate, gateContextOf } from '../gate-context.ts';
import { loadImage } from '../images/load-image.ts';
import type { Job } from '../job.ts';
import { checkTag } from './build-image.ts';
import { pushNames } from './push-names.ts';
import { readDefinition, type Definition } from './read-definition.ts';
import { refuseEntitlements, refuseFrontend } from './refuse-frontend.ts';
import type { DecodedSolve, SolveOptions } from './solve-build.ts';
import { SolveSteps } from './solve-steps.ts';

/** The builder gets the Dockerfile under this name, wherever the client has it. */
const DOCKERFILE = 'Dockerfile';
const EXPORTERS = { image: 'docker', directory: 'local', archive: 'tar', none: '' } as const;
const NETWORKS = ['', 'default', 'bridge', 'none'];
/** By which BuildKit keeps cache mounts of different owners apart. */
const CACHE_MOUNTS = 'BUILDKIT_CACHE_MOUNT_NS';

/**
 * A build that a client of BuildKit asks for, carried out by the operator's buildkitd: the same gate before it, a request of
 * our own, the Dockerfile as the gate has seen it, and an image that is loaded into the job. Answers what its exporter would.
 */
export async function solveRemotely(
  job: Job,
  builder: RemoteBuilder,
  options: SolveOptions,
): Promise<Readonly<Record<string, string>>> {
  const { solve, decoded, report } = options;
  const { session, signal } = solve;
  const { request, hostConfig } = admitRemote(job, decoded);
  const names = [...new Set(request.tags.map(checkTag))];
  const steps = new SolveSteps(solve.ref, report);
  await steps.warn(decoded.warnings);
  const loading = await steps.begin('[internal] check build definition');
  const definition = await checkedDefinition(session, request).catch(async (error: unknown) => {
    await loading.end({ error });
    throw error;
  });
  await loading.end({});
  const answer = await builder.solve(
    {
      options: { ...frontendOptions(request, hostConfig), ...contextOptions(decoded), ...cacheMounts(job) },
      exporter: EXPORTERS[decoded.output],
      exporterOptions: decoded.output === 'image' ? { name: names.join(',') } : {},
      definition: filesOf(definition),
      session,
      takeImage: (tar) => takeImage(job, tar, signal),
      signal,
    },
    report,
  );
  if (decoded.output !== 'image') return {};
  const imageId = answer['containerimage.config.digest'] ?? '';
  if (!job.images.get(imageId))
    throw new EngineError(
      'Internal',
      'the buildkitd has not handed over the image that it says it has built',
    );
  if (decoded.isPushed) await pushNames(job, options);
  return {
    'containerimage.digest': imageId,
    'containerimage.config.digest': imageId,
    'image.name': request.tags.join(','),
  };
}

function unsupported(what: string): EngineError {
  return new EngineError(
    'NotImplemented',
    `${what} is not supported by this daemon, whose builds a buildkitd carries out`,
  );
}

/** The gate of builds, and that of creates for what the steps would run with: here none is created by us. */
function admitRemote(
  job: Job,
  { request, upload }: DecodedSolve,
): { readonly request: BuildRequest; readonly hostConfig: HostConfig } {
  const gate = auditedGate(job, gateContextOf(job), { verb: 'build' });
  const { admitted } = admitBuild(request, gate);
  const { hostConfig } = admitCreate(admitted.container, gate).admitted;
  const { NetworkMode: network } = hostConfig;
  if (upload !== '')
    throw unsupported('a context that is a tar on stdin, whose Dockerfile nobody could look at first,');
  if (!NETWORKS.includes(network)) throw unsupported(`--network=${network}`);
  if (admitted.container.hostConfig.CgroupParent !== '') throw unsupported('--cgroup-parent');
  return { request: admitted, hostConfig };
}

async function checkedDefinition(
  session: BuildSession,
  { dockerfile: path, buildArgs }: BuildRequest,
): Promise<Definition> {
  const definition = await readDefinition(session, path);
  const dockerfile = parseStages(definition.text);
  refuseFrontend(dockerfile, buildArgs);
  for (const { instructions } of dockerfile.stages)
    for (const instruction of instructions) if (instruction.kind === 'RUN') refuseEntitlements(instruction);
  return definition;
}

function filesOf({ text, ignore }: Definition): RemoteSolve['definition'] {
  const files = new Map([[DOCKERFILE, Buffer.from(text)]]);
  if (ignore !== undefined) files.set(`${DOCKERFILE}.dockerignore`, Buffer.from(ignore));
  return files;
}

function prefixed(
  prefix: string,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));
}

function frontendOptions(request: BuildRequest, host: HostConfig): RemoteSolve['options'] {
  const { NetworkMode: network, ExtraHosts: hosts, Ulimits: ulimits, ShmSize: shmSize } = host;
  const imports = request.cacheFrom.map((ref) => ({ Type: 'registry', Attrs: { ref } }));
  const limits = (ulimits ?? []).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`);
  return {
    filename: DOCKERFILE,
    ...prefixed('build-arg:', givenArgs(request)),
    ...prefixed('label:', request.labels),
    ...(request.target === '' ? {} : { target: request.target }),
    ...(request.platform === '' ? {} : { platform: request.platform }),
    ...(request.noCache ? { 'no-cache': '' } : {}),
    ...(request.pull ? { 'image-resolve-mode': 'pull' } : {}),
    ...(network === 'none' ? { 'force-network-mode': 'none' } : {}),
    ...(hosts && hosts.length > 0
      ? { 'add-hosts': hosts.map((one) => one.replace(':', '=')).join(',') }
      : {}),
    ...(shmSize > 0 ? { 'shm-size': String(shmSize) } : {}),
    ...(limits.length > 0 ? { ulimit: limits.join(',') } : {}),
    ...(imports.length > 0 ? { 'cache-imports': JSON.stringify(imports) } : {}),
  };
}

/** One without a value is not given: this daemon's environment is nobody's. */
function givenArgs({ buildArgs }: BuildRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(buildArgs).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

function contextOptions({ contexts }: DecodedSolve): RemoteSolve['options'] {
  const named = [...contexts].map(([name, context]): [string, string] => [
    `context:${name}`,
    'image' in context ? `docker-image://${context.image}` : `local:${context.directory}`,
  ]);
  return Object.fromEntries(named);
}

/** Directories of one owner's steps are not those of another's, whatever the client says. */
function cacheMounts({ settings, paths }: Job): RemoteSolve['options'] {
  const owner = settings.cacheScope ?? paths.stateDir;
  return { [`build-arg:${CACHE_MOUNTS}`]: createHash('sha256').update(owner).digest('hex') };
}

async function takeImage(job: Job, tar: Readable, signal: AbortSignal): Promise<void> {
  await loadImage(job, { tar, platform: '', quiet: true, report: () => undefined, signal });
}
