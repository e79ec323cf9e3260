import type { CallScope, Channel } from './channel.ts';
import { readContent } from './content-read.ts';
import { writeContent } from './content-write.ts';
import { labelPaths, required, toDate } from './convert.ts';
import type { Info, Status } from './generated/content.ts';
import type { Content, ContentInfo, ContentStatus } from './types-store.ts';

/** Content service. */
export function createContent(channel: Channel, scope: CallScope): Content {
  const caller = channel.caller('content', scope);
  const content: Content = {
    async info(digest) {
      return toInfo((await caller.unary('Info', { digest })).info);
    },
    async list(filters = []) {
      const infos: ContentInfo[] = [];
      for await (const { info } of caller.stream('List', { filters })) infos.push(...info.map(toInfo));
      return infos;
    },
    async delete(digest) {
      await caller.unary('Delete', { digest });
    },
    async updateLabels(digest, labels) {
      const request = { info: { digest, labels }, updateMask: labelPaths(labels) };
      return toInfo((await caller.unary('Update', request)).info);
    },
    read: (digest, range = {}) => readContent(caller, { digest, ...range }),
    write: (newContent, source, signal) =>
      writeContent({ caller, content, ...(signal ? { signal } : {}) }, newContent, source),
    async status(ref) {
      return toStatus((await caller.unary('Status', { ref })).status);
    },
    async statuses(filters = []) {
      return (await caller.unary('ListStatuses', { filters })).statuses.map(toStatus);
    },
    async abort(ref) {
      await caller.unary('Abort', { ref });
    },
  };
  return content;
}

function toInfo(raw: Info | null): ContentInfo {
  const info = required(raw, 'a content record');
  return {
    digest: info.digest,
    size: info.size,
    labels: info.labels,
    createdAt: toDate(info.createdAt),
    updatedAt: toDate(info.updatedAt),
  };
}

function toStatus(raw: Status | null): ContentStatus {
  const status = required(raw, 'a status');
  return {
    ref: status.ref,
    offset: status.offset,
    total: status.total,
    expected: status.expected,
    startedAt: toDate(status.startedAt),
    updatedAt: toDate(status.updatedAt),
  };
}
