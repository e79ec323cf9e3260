const DEFAULTS = ['noexec', 'nosuid', 'nodev', 'rprivate'];
const OPPOSITES: readonly (readonly [string, string])[] = [
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['ro', 'rw'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
  ['sync', 'async'],
  ['private', 'rprivate'],
];

/** Docker's tmpfs options with the asked-for ones after them; of opposites and of repeated settings the last one holds. */
export function mergeTmpfsOptions(asked: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const option of [...DEFAULTS, ...asked]) {
    if (option !== 'defaults') {
      const subject = subjectOf(option);
      merged.delete(subject);
      merged.set(subject, option);
    }
  }
  return [...merged.values()];
}

/** What an option is about: the name of a setting, or of the pair that it is one side of. */
function subjectOf(option: string): string {
  const name = option.split('=')[0] ?? option;
  return OPPOSITES.find((pair) => pair.includes(name))?.[0] ?? name;
}
