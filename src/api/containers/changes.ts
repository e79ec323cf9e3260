import { changesContainer } from '../../engine/containers/changes-container.ts';
import type { ByteWriter, RouteContext } from '../http/route.ts';

/** `GET /containers/{id}/changes`: one JSON array, sent as it is found; null where there is nothing, as dockerd has it. */
export async function changes(context: RouteContext): Promise<void> {
  let writer: ByteWriter | undefined;
  for await (const change of changesContainer(context.job, context.param('id'), context.signal)) {
    const separator = writer ? ',' : '[';
    writer ??= context.openStream('application/json');
    await writer.write(Buffer.from(`${separator}${JSON.stringify(change)}`));
  }
  if (!writer) {
    context.json(200, null);
    return;
  }
  await writer.write(Buffer.from(']\n'));
  await writer.end();
}
