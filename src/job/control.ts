import express, { type Express, type Request, type Response } from 'express';
import { describeError } from '../api/http/error-response.ts';
import { readBody } from '../api/http/request-body.ts';
import type { Job } from '../engine/job.ts';
import { registerJobContainer } from '../engine/mounts/register-job-container.ts';
import { explainInJob } from './explain.ts';
import { decodeJobContainer } from './job-container-body.ts';

/** What `GET /_berth/report` tells the runner of a living job. */
function report(job: Job): unknown {
  const containers = job.containers.list();
  return {
    job: job.id,
    containers: containers.length,
    running: containers.filter(({ run }) => run !== undefined).length,
    images: job.images.list().length,
    decisions: job.audit.counts(),
    pulls: { ...job.pulls.totals(), recent: job.pulls.recent() },
    memoryBytes: process.memoryUsage.rss(),
  };
}

/**
 * The runner's own socket (0600, never mounted into a job): `/_berth/job-container`, `/_berth/report`,
 * `/_berth/explain` and `/_berth/stop`.
 */
export function createControlApp(job: Job, onStop: () => void): Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/_berth/report', (_request, response) => {
    response.json(report(job));
  });
  app.put('/_berth/job-container', (request, response) => answerRegistration(job, request, response));
  app.post('/_berth/explain', (request, response) => answerExplanation(job, request, response));
  app.post('/_berth/stop', (_request, response) => {
    response.status(202).json({ stopping: true });
    onStop();
  });
  app.use((_request, response) => {
    response.status(404).json({ message: 'page not found' });
  });
  return app;
}

/**
 * The body is that of a create, or of what `?request=` names (`POST /volumes/create`); `?version=` is the API version
 * that it is written in.
 */
async function answerExplanation(job: Job, request: Request, response: Response): Promise<void> {
  const { version, request: asked } = request.query;
  try {
    const body = await readBody({
      stream: request,
      headers: request.headers,
      length: undefined,
      maxBytes: job.settings.limits.bodyBytes,
    });
    const apiVersion = typeof version === 'string' ? version : undefined;
    response.json(
      await explainInJob(job, { request: typeof asked === 'string' ? asked : undefined, body, apiVersion }),
    );
  } catch (error) {
    const { status, message } = describeError(error, job);
    response.status(status).json({ message });
  }
}

async function answerRegistration(job: Job, request: Request, response: Response): Promise<void> {
  try {
    const bytes = await readBody({
      stream: request,
      headers: request.headers,
      length: undefined,
      maxBytes: job.settings.limits.bodyBytes,
    });
    response.json({ jobContainer: await registerJobContainer(job, decodeJobContainer(bytes)) });
  } catch (error) {
    const { status, message } = describeError(error, job);
    job.log.warn({ err: error, status }, 'job container not registered');
    response.status(status).json({ message });
  }
}
