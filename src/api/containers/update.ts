import { updateContainer } from '../../engine/containers/update-container.ts';
import { recordIgnored } from '../../engine/system/record-ignored.ts';
import type { RouteContext } from '../http/route.ts';
import { decodeUpdate } from './decode-update.ts';

/** `POST /containers/{id}/update`. */
export async function update(context: RouteContext): Promise<void> {
  const { request, ignored } = decodeUpdate(context.body, context.apiVersion);
  recordIgnored(context.job, 'update', ignored);
  const { Warnings: warnings } = await updateContainer(context.job, context.param('id'), request);
  const unknown = ignored.map((field) => `${field} is not a field of this API and was ignored`);
  const all = [...unknown, ...(warnings ?? [])];
  context.json(200, { Warnings: all.length === 0 ? null : all });
}
