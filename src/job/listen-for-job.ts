import { createApp } from '../api/app.ts';
import { routes } from '../api/routes.ts';
import type { Job } from '../engine/job.ts';
import { createControlApp } from './control.ts';
import { listen } from './listen.ts';

/** Opens the job's two sockets; answers how to close them again. */
export async function listenForJob(job: Job, onStop: () => void): Promise<() => Promise<void>> {
  const docker = await listen({ socketPath: job.paths.socket, app: createApp({ job, routes }), mode: 0o666 });
  try {
    await job.binds.stageSocket();
    const control = await listen({
      socketPath: job.paths.controlSocket,
      app: createControlApp(job, onStop),
      mode: 0o600,
    });
    return async () => {
      await Promise.all([docker.close(), control.close()]);
    };
  } catch (error) {
    await docker.close();
    throw error;
  }
}
