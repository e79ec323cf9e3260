import { buildImage } from '../../engine/build/build-image.ts';
import type { BuildProgress } from '../../engine/build/build-progress.ts';
import type { ContextSource } from '../../engine/build/build-run.ts';
import { StepFailure } from '../../engine/build/step-failure.ts';
import { tarContext } from '../../engine/build/tar-context.ts';
import { sendJsonStream } from '../http/json-stream.ts';
import { decodeRegistryConfig } from '../http/registry-auth.ts';
import type { RouteContextOf } from '../http/route.ts';
import { decodeBuild } from './decode-build.ts';
import { BuildPrinter, type BuildLine } from './print-progress.ts';

/** Lines that a quiet build keeps, to be shown where it fails. */
const MAX_QUIET_LINES = 1000;

/** `POST /build`: an image from a context in the body, with dockerd's classic output. */
export async function build(context: RouteContextOf<'build'>): Promise<void> {
  const { job, query, apiVersion, signal, headers } = context;
  const header = headers['x-registry-config'];
  const credentials = decodeRegistryConfig(Array.isArray(header) ? header[0] : header);
  const source: ContextSource = tarContext(job, context.stream);
  const progress = buildImage(job, {
    request: decodeBuild(query, apiVersion),
    context: source,
    client: {
      credentialsFor: (domain) => Promise.resolve(credentials.get(domain)),
      readSecret: () => Promise.resolve(undefined),
      findAgent: () => Promise.resolve(undefined),
    },
    signal,
  });
  const lines = query.bool('q') ? quietLines(progress) : allLines(progress);
  await sendJsonStream(context, lines, (error) =>
    error instanceof StepFailure ? { code: error.exitCode } : {},
  );
}

async function* allLines(progress: AsyncGenerator<BuildProgress>): AsyncGenerator<BuildLine> {
  const printer = new BuildPrinter();
  for await (const one of progress) yield* printer.print(one);
}

/** Only the id of what was built; where it fails, what led there. */
async function* quietLines(progress: AsyncGenerator<BuildProgress>): AsyncGenerator<BuildLine> {
  const printer = new BuildPrinter();
  const kept: BuildLine[] = [];
  try {
    for await (const one of progress) {
      if (one.kind === 'built') yield { stream: `${one.imageId}\n` };
      kept.push(...printer.print(one));
      kept.splice(0, kept.length - MAX_QUIET_LINES);
    }
  } catch (error) {
    yield* kept;
    throw error;
  }
}
