import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describeError } from '../api/http/error-response.ts';
import { readBody } from '../api/http/request-body.ts';
import { splitTarget } from '../api/http/request-target.ts';
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

type Answer = (job: Job, request: IncomingMessage) => Promise<unknown>;

const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ['GET /_berth/report', (job) => Promise.resolve(report(job))],
  ['PUT /_berth/job-container', answerRegistration],
  ['POST /_berth/explain', answerExplanation],
]);

/**
 * The runner's own socket (0600, never mounted into a job): `/_berth/job-container`, `/_berth/report`,
 * `/_berth/explain` and `/_berth/stop`.
 */
export function createControlApp(job: Job, onStop: () => void): RequestListener {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = `${request.method ?? ''} ${splitTarget(request.url ?? '').path}`;
    if (asked === 'POST /_berth/stop') {
      send(response, 202, { stopping: true });
      onStop();
      return;
    }
    const answer = ANSWERS.get(asked);
    if (!answer) {
      send(response, 404, { message: 'page not found' });
      return;
    }
    try {
      send(response, 200, await answer(job, request));
    } catch (error) {
      const { status, message } = describeError(error, job);
      job.log.warn({ err: error, status, request: asked }, 'request of the runner failed');
      send(response, status, { message });
    }
  };
  return (request, response) => {
    void handle(request, response);
  };
}

function send(response: ServerResponse, status: number, answer: unknown): void {
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
  });
  response.end(body);
}

/**
 * The body is that of a create, or of what `?request=` names (`POST /volumes/create`); `?version=` is the API version
 * that it is written in.
 */
async function answerExplanation(job: Job, request: IncomingMessage): Promise<unknown> {
  const query = new URLSearchParams(splitTarget(request.url ?? '').search);
  const body = await bodyOf(job, request);
  return explainInJob(job, {
    request: query.get('request') ?? undefined,
    body,
    apiVersion: query.get('version') ?? undefined,
  });
}

async function answerRegistration(job: Job, request: IncomingMessage): Promise<unknown> {
  return { jobContainer: await registerJobContainer(job, decodeJobContainer(await bodyOf(job, request))) };
}

function bodyOf(job: Job, request: IncomingMessage): Promise<Uint8Array> {
  const { bodyBytes: maxBytes } = job.settings.limits;
  return readBody({ stream: request, headers: request.headers, length: undefined, maxBytes });
}
