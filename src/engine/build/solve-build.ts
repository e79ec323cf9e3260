import type { BuildSession, ReportSolve, SolveRequest } from '../../buildkit/types.ts';
import type { Mount } from '../../containerd/types.ts';
import { parseIgnoreFile } from '../../dockerfile/ignore-file.ts';
import { EngineError } from '../../errors.ts';
import type { BuildRequest } from '../../wire/build-request.ts';
import type { Job } from '../job.ts';
import { buildImage, type BuildAsked } from './build-image.ts';
import type { BuildClient, ContextSource, DeliverFiles } from './build-run.ts';
import type { NamedContexts } from './named-contexts.ts';
import { pushNames } from './push-names.ts';
import { loginOf } from './session-login.ts';
import { SolveSteps } from './solve-steps.ts';
import { CONTEXT, readDefinition } from './read-definition.ts';
import { tarContext } from './tar-context.ts';

/** What BuildKit's options of a build come to. */
export interface DecodedSolve {
  readonly request: BuildRequest;
  /** True where the result is pushed under its names. */
  readonly isPushed: boolean;
  /** What becomes of the result: an image of the job, files that the client gets, or nothing beside the cache. */
  readonly output: 'image' | 'directory' | 'archive' | 'none';
  /** What of the request has no effect. */
  readonly warnings: readonly string[];
  /** Path of the upload of the client that is the context, as a tar; empty where that is a directory. */
  readonly upload: string;
  /** By name: an image, or a directory of the client by the client's name for it. */
  readonly contexts: ReadonlyMap<string, { readonly image: string } | { readonly directory: string }>;
}

/** What a build is solved with. */
export interface SolveOptions {
  readonly solve: SolveRequest;
  readonly decoded: DecodedSolve;
  readonly report: ReportSolve;
}

/** The client leaves out what is ignored: it never crosses the connection. */
function sessionContext(
  job: Job,
  session: BuildSession,
  { directory, ignored }: { readonly directory: string; readonly ignored: readonly string[] },
): ContextSource {
  return {
    fill(target, signal) {
      const files = session.openFiles({ directory, include: [], exclude: ignored }, signal);
      return tarContext(job, files).fill(target, signal);
    },
  };
}

/** A directory beside the context, with an ignore file of its own. */
function besideContext(job: Job, session: BuildSession, directory: string): ContextSource {
  return {
    async fill(target, signal) {
      const file = await session.readFile(directory, ['.dockerignore']);
      const ignored = file ? parseIgnoreFile(Buffer.from(file.bytes).toString('utf8')) : [];
      await sessionContext(job, session, { directory, ignored }).fill(target, signal);
    },
  };
}

async function openDefinition(
  job: Job,
  session: BuildSession,
  dockerfile: string,
): Promise<Pick<BuildAsked, 'context' | 'dockerfileText'>> {
  const { text, ignore, ignoreOfContext } = await readDefinition(session, dockerfile);
  const ignored = parseIgnoreFile(ignore ?? ignoreOfContext ?? '');
  return { context: sessionContext(job, session, { directory: CONTEXT, ignored }), dockerfileText: text };
}

/** A context that came to the client as a tar: the Dockerfile is in it. */
function uploaded(job: Job, { solve, decoded }: SolveOptions): Pick<BuildAsked, 'context'> {
  return {
    context: {
      fill: (target, signal) =>
        tarContext(job, solve.session.openUpload(decoded.upload, signal)).fill(target, signal),
    },
  };
}

function contextsOf(job: Job, { solve, decoded }: SolveOptions): NamedContexts {
  return new Map(
    [...decoded.contexts].map(([name, context]) => [
      name,
      'image' in context
        ? { kind: 'image', reference: context.image }
        : { kind: 'files', source: besideContext(job, solve.session, context.directory) },
    ]),
  );
}

/** How the client gets the result where it has asked for files; undefined for an image of the job. */
function deliveryOf(job: Job, { solve, decoded, report }: SolveOptions): DeliverFiles | undefined {
  const { session, ref } = solve;
  const { output } = decoded;
  if (output === 'image') return undefined;
  if (output === 'none') return () => Promise.resolve();
  return async (mounts, signal) => {
    const step = await new SolveSteps(`${ref} export`, report).begin(`exporting to client ${output}`);
    if (output === 'archive') await sendTree(job, { session, mounts, signal });
    else await sendDirectory(job, { session, mounts, signal });
    await step.end({});
  };
}

interface Delivery {
  readonly session: BuildSession;
  readonly mounts: readonly Mount[];
  readonly signal: AbortSignal;
}

async function sendTree(job: Job, { session, mounts, signal }: Delivery): Promise<void> {
  const exported = await job.rootfs.exportTree(mounts, signal);
  try {
    await session.sendArchive(exported.tar, signal);
  } finally {
    exported.tar.destroy();
    await exported.close();
  }
}

async function sendDirectory(job: Job, { session, mounts, signal }: Delivery): Promise<void> {
  const root = await job.rootfs.openMounts(mounts, { isOwn: true });
  try {
    const files = job.buildFiles.listFiles({ root, path: '/' }, signal);
    await session.sendFiles(
      { files, open: (path) => job.buildFiles.openFile({ root, path: `/${path}` }) },
      signal,
    );
  } finally {
    await root.close();
  }
}

function clientOf(session: BuildSession): BuildClient {
  return {
    credentialsFor: (domain) => loginOf(session, domain),
    async findAgent(id) {
      if (!(await session.hasAgent(id))) return undefined;
      return (connection) => {
        session.joinAgent(id, connection);
      };
    },
    async readSecret(id) {
      try {
        return await session.readSecret(id);
      } catch (error) {
        if (error instanceof EngineError && error.kind === 'NotFound') return undefined;
        throw error;
      }
    },
  };
}

/** A build that a client of BuildKit asks for, by the same builder as `POST /build`. Answers what its exporter would. */
export async function solveBuild(job: Job, options: SolveOptions): Promise<Readonly<Record<string, string>>> {
  const { solve, decoded, report } = options;
  const { session, signal } = solve;
  const steps = new SolveSteps(solve.ref, report);
  const { request } = decoded;
  await steps.warn(decoded.warnings);
  const loading = await steps.begin(`[internal] load build definition from ${request.dockerfile}`);
  const definition =
    decoded.upload === '' ? await openDefinition(job, session, request.dockerfile) : uploaded(job, options);
  await loading.end({});
  const deliver = deliveryOf(job, options);
  let imageId = '';
  try {
    const building = buildImage(job, {
      request,
      ...definition,
      contexts: contextsOf(job, options),
      ...(deliver ? { deliver } : {}),
      client: clientOf(session),
      signal,
    });
    for await (const progress of building) {
      await steps.take(progress);
      if (progress.kind === 'built') ({ imageId } = progress);
    }
  } catch (error) {
    await steps.fail(error);
    throw error;
  }
  if (deliver) return {};
  if (decoded.isPushed) await pushNames(job, options);
  return {
    'containerimage.digest': imageId,
    'containerimage.config.digest': imageId,
    'image.name': request.tags.join(','),
  };
}
