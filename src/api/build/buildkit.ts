import { serveBuildkit } from '../../engine/build/serve-buildkit.ts';
import { ShapeError } from '../../errors.ts';
import type { RouteContext } from '../http/route.ts';
import { decodeSolve } from './decode-solve.ts';

const MAX_METHODS = 100;

/** `POST /grpc`: BuildKit's control API. */
export async function grpc(context: RouteContext): Promise<void> {
  const { job, apiVersion } = context;
  const connection = context.takeOver('application/grpc');
  await serveBuildkit(job, connection, (solve) => decodeSolve(solve, apiVersion));
}

/** `POST /session`: what a client offers while it builds. */
export async function session(context: RouteContext): Promise<void> {
  const { job, headers } = context;
  if (headers.upgrade === undefined) throw new ShapeError('no upgrade proto in request');
  const id = headers['x-docker-expose-session-uuid'];
  if (typeof id !== 'string' || !/^[A-Za-z0-9_-]{1,128}$/.test(id))
    throw new ShapeError('a session needs an id in X-Docker-Expose-Session-Uuid');
  const names = headers['x-docker-expose-session-grpc-method'] ?? [];
  const methods = [names].flat().flatMap((name) => name.split(',').map((one) => one.trim()));
  if (methods.length > MAX_METHODS) throw new ShapeError('too many methods in a session');
  await job.buildkit.keepSession(context.takeOver('application/grpc'), { id, methods });
}
