import { exportContainer } from '../../engine/containers/export-container.ts';
import type { RouteContext } from '../http/route.ts';

/** `GET /containers/{id}/export`. */
export async function exportFiles(context: RouteContext): Promise<void> {
  await exportContainer(context.job, context.param('id'), {
    signal: context.signal,
    send: async (tar) => {
      const writer = context.openStream('application/octet-stream');
      for await (const chunk of tar as AsyncIterable<Buffer>) await writer.write(chunk);
      await writer.end();
    },
  });
}
