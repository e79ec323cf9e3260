/** What a reader of tars tells of an entry, as far as it is looked at here. */
export interface ReadTarEntry {
  readonly name: string;
  readonly size: number;
  /** The records of its PAX header, where it has one. */
  readonly pax?: unknown;
}

/**
 * Why an entry cannot be read as what it says, where its form alone tells: a size below zero, or a file with holes, whose
 * bytes in the archive are a map of them first. Undefined of any other.
 */
export function unreadableEntry({ name, size, pax }: ReadTarEntry): string | undefined {
  const shown = JSON.stringify(name.slice(0, 256));
  // tar-stream reads the -1 of a base-256 number as -0.
  if (!Number.isSafeInteger(size) || size < 0 || Object.is(size, -0)) return `${shown} has no valid size`;
  const records = typeof pax === 'object' && pax !== null ? Object.keys(pax) : [];
  const isSparse = records.some((key) => key.startsWith('GNU.sparse.'));
  return isSparse ? `${shown} is stored with holes, which is not supported: leave out --sparse` : undefined;
}
