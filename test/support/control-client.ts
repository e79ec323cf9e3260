import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a control socket answered. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks a berth's control socket, as its runner does. */
export function askControl(
  socketPath: string,
  asked: { readonly method: string; readonly path: string; readonly body?: unknown },
): Promise<ControlAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: asked.method, path: asked.path }, (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    });
    sent.on('error', reject);
    sent.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}
