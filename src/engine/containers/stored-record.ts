import type { Any } from '../../containerd/types.ts';
import { EngineError } from '../../errors.ts';
import type { ContainerRecord } from '../../state/container.ts';

/** Key of the extension that holds a container's record in containerd. */
export const RECORD_EXTENSION = 'berth.container';

const RECORD_TYPE_URL = 'berth/container-record';

/** A record as containerd stores it. */
export function encodeRecord(record: ContainerRecord): Any {
  return { typeUrl: RECORD_TYPE_URL, value: Buffer.from(JSON.stringify(record)) };
}

/** Reads back what `encodeRecord` wrote; Internal when the extension is not berth's or of another version. */
export function decodeRecord(extension: Any | undefined): ContainerRecord {
  if (extension?.typeUrl !== RECORD_TYPE_URL)
    throw new EngineError('Internal', 'container has no record of berth');
  const record = JSON.parse(Buffer.from(extension.value).toString('utf8')) as ContainerRecord;
  const version: number = record.version;
  if (version !== 1)
    throw new EngineError('Internal', `container record has unknown version ${String(version)}`);
  return record;
}
