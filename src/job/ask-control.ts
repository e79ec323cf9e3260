import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Explanation } from '../engine/containers/explain-create.ts';
import { EngineError } from '../errors.ts';
import { explainWithoutJob, type AskedRequest } from './explain.ts';
import type { JobNames } from './job-names.ts';
import type { Settings } from '../config/schema.ts';

/** Has the job explain a request, which knows its images, or explains it without one where none runs. */
export async function explainAnywhere(
  settings: Settings,
  names: JobNames | undefined,
  asked: AskedRequest,
): Promise<Explanation> {
  if (names === undefined) return explainWithoutJob(settings, asked);
  const { status, body } = await post(names.paths.controlSocket, asked);
  if (status === 200) return JSON.parse(body) as Explanation;
  throw new EngineError('Internal', `job ${names.jobId} does not explain: ${body.trim()}`);
}

function post(
  socketPath: string,
  { request: asked, body, apiVersion }: AskedRequest,
): Promise<{ readonly status: number; readonly body: string }> {
  const given = Object.entries({ version: apiVersion, request: asked }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const query = new URLSearchParams(given).toString();
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: `/_berth/explain?${query}` }, (response) => {
      text(response).then((answer) => {
        resolve({ status: response.statusCode ?? 0, body: answer });
      }, reject);
    });
    sent.once('error', (error) => {
      reject(
        new EngineError('NotFound', `no job answers on ${socketPath}: ${error.message}`, { cause: error }),
      );
    });
    sent.end(body);
  });
}
