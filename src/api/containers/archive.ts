import {
  readArchive,
  statArchive,
  writeArchive,
  type ContainerPath,
  type PathFacts,
} from '../../engine/containers/archive-container.ts';
import { ShapeError } from '../../errors.ts';
import type { AnswerHeaders, RouteDefinition, RouteContextOf } from '../http/route.ts';

/** `docker cp` in both directions. */
export const archiveRoutes: readonly RouteDefinition[] = [
  { method: 'HEAD', path: '/containers/:id/archive', parameters: 'archive read', body: 'none', handle: head },
  { method: 'GET', path: '/containers/:id/archive', parameters: 'archive read', body: 'none', handle: get },
  {
    method: 'PUT',
    path: '/containers/:id/archive',
    parameters: 'archive write',
    body: 'stream',
    handle: put,
  },
];

function containerPath(context: RouteContextOf<'archive read'>): ContainerPath {
  return { containerRef: context.param('id'), path: archivePath(context.query) };
}

/** The path of a copy, which has to be one. */
export function archivePath(query: RouteContextOf<'archive read'>['query']): string {
  const path = query.string('path');
  if (path === '') throw new ShapeError("bad parameter: 'path' cannot be empty");
  return path;
}

async function head(context: RouteContextOf<'archive read'>): Promise<void> {
  const stat = await statArchive(context.job, containerPath(context));
  context.empty(200, statHeader(stat));
}

async function get(context: RouteContextOf<'archive read'>): Promise<void> {
  await readArchive(context.job, containerPath(context), {
    signal: context.signal,
    send: async (stat, tar) => {
      const writer = context.openStream('application/x-tar', statHeader(stat));
      for await (const chunk of tar as AsyncIterable<Buffer>) await writer.write(chunk);
      await writer.end();
    },
  });
}

async function put(context: RouteContextOf<'archive write'>): Promise<void> {
  const { query } = context;
  await writeArchive(context.job, containerPath(context), {
    tar: context.stream,
    noOverwriteDirNonDir: query.bool('noOverwriteDirNonDir'),
    copyUidGid: query.bool('copyUIDGID'),
    signal: context.signal,
  });
  context.empty(200);
}

/** The CLI reads this header before it decides how to unpack. */
function statHeader(stat: PathFacts): AnswerHeaders {
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}
