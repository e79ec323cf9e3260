import express, { type Express } from 'express';
import type { Job } from '../engine/job.ts';

/** What `GET /_berth/report` tells the runner of a living job. */
function report(job: Job): unknown {
  const containers = job.containers.list();
  return {
    job: job.id,
    containers: containers.length,
    running: containers.filter(({ run }) => run !== undefined).length,
    images: job.images.list().length,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** The runner's own socket (0600, never mounted into a job): `/_berth/report` and `/_berth/stop`. */
export function createControlApp(job: Job, onStop: () => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/_berth/report', (_request, response) => {
    response.json(report(job));
  });
  app.post('/_berth/stop', (_request, response) => {
    response.status(202).json({ stopping: true });
    onStop();
  });
  app.use((_request, response) => {
    response.status(404).json({ message: 'page not found' });
  });
  return app;
}
