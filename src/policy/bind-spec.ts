/** One entry of `HostConfig.Binds`, taken apart. */
export interface BindSpec {
  /** A host path (absolute), a volume's name, or empty for an anonymous volume. */
  readonly source: string;
  readonly target: string;
  /** The words after the second colon, in order. */
  readonly modes: readonly string[];
}

/** Takes `[source:]target[:mode,…]` apart, modes only behind a source; undefined when it is not of that form. */
export function parseBind(text: string): BindSpec | undefined {
  if (text !== '' && !text.includes(':')) return { source: '', target: text, modes: [] };
  const [source, target, mode, ...more] = text.split(':');
  if (source === undefined || source === '' || target === undefined || target === '' || more.length > 0) {
    return undefined;
  }
  if (mode === '') {
    return undefined;
  }
  return { source, target, modes: mode === undefined ? [] : mode.split(',') };
}

/** True where any of the words says read-only: their order does not matter. */
export function isReadOnlyBind(bind: BindSpec): boolean {
  return bind.modes.includes('ro') || bind.modes.includes('readonly');
}
