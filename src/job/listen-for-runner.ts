import type { Job } from '../engine/job.ts';
import { createControlApp } from './control.ts';
import { listen, type Listener } from './listen.ts';

/** Opens the runner's socket: root's alone. */
export function listenForRunner(job: Job, onStop: () => void): Promise<Listener> {
  return listen({ socketPath: job.paths.controlSocket, app: createControlApp(job, onStop), mode: 0o600 });
}
