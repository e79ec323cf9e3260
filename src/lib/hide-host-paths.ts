/** Directories of the machine's own that runtimes speak of, wherever their own files are. */
const MACHINE_DIRECTORIES = [
  '/run/containerd',
  '/var/run/containerd',
  '/var/lib/containerd',
  '/run/netns',
  '/var/run/netns',
  '/sys/fs/cgroup',
];
/** Processes by their number on the machine, a plugin's directory in containerd's state, and what the runtime is handed. */
const MACHINE_PATHS = /^\/proc\/\d|\/io\.containerd\.|^\/tmp\/runc-/;

/** Cuts paths that mean nothing to a client, and tell of the machine, out of a message: those in the directories too. */
export function hideHostPaths(message: string, directories: readonly string[]): string {
  const hidden = [...MACHINE_DIRECTORIES, ...directories];
  const isHidden = (path: string): boolean =>
    MACHINE_PATHS.test(path) || hidden.some((root) => path === root || path.startsWith(`${root}/`));
  return message.replaceAll(/\/[^\s"':,)]+/g, (path) => (isHidden(path) ? '(host path)' : path));
}
