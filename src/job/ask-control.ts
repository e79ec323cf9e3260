import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Explanation } from '../engine/containers/explain-create.ts';
import { EngineError } from '../errors.ts';
import { explainWithoutJob, type AskedCreate } from './explain.ts';
import type { JobNames } from './job-names.ts';
import type { Settings } from '../config/schema.ts';

/** Has the job explain a create, which knows its images, or explains it without one where none runs. */
export async function explainAnywhere(
  settings: Settings,
  names: JobNames | undefined,
  asked: AskedCreate,
): Promise<Explanation> {
  if (names === undefined) return explainWithoutJob(settings, asked);
  const { status, body } = await post(names.paths.controlSocket, asked);
  if (status === 200) return JSON.parse(body) as Explanation;
  throw new EngineError('Internal', `job ${names.jobId} does not explain: ${body.trim()}`);
}

function post(
  socketPath: string,
  { body, apiVersion }: AskedCreate,
): Promise<{ readonly status: number; readonly body: string }> {
  const version = apiVersion === undefined ? '' : `?version=${encodeURIComponent(apiVersion)}`;
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: 'POST', path: `/_berth/explain${version}` }, (response) => {
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
