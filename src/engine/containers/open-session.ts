import { createDeferred } from '../../lib/deferred.ts';
import type { Container, StreamSession } from '../../state/container.ts';
import type { Job } from '../job.ts';

/** The streams of the container's present or next run, made now if nobody has asked for them yet. */
export function openSession(job: Job, container: Container): Promise<StreamSession> {
  container.session ??= openStreams(job, container).catch((error: unknown) => {
    container.session = undefined;
    throw error;
  });
  return container.session;
}

async function openStreams(job: Job, container: Container): Promise<StreamSession> {
  await container.released;
  const { OpenStdin: stdin, Tty: terminal } = container.record.config;
  const io = await job.stdio.open({ id: container.id, stdin, terminal, keep: true });
  return { io, taskCreated: createDeferred(), clients: new Set() };
}

/** Ends the streams of a run that is over or never came: whoever is attached gets the end of output. */
export async function closeSession(container: Container): Promise<void> {
  const session = await container.session?.catch(() => undefined);
  container.session = undefined;
  await session?.io.dispose();
}
