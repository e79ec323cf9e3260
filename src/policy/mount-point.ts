/** Most mounts of each kind that one container may have. */
export const MAX_MOUNTS = 1000;

/** A path with `.`, `..`, and repeated and trailing slashes taken out, as Go's path.Clean does for absolute ones. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') {
      kept.pop();
    } else if (part !== '' && part !== '.') {
      kept.push(part);
    }
  }
  return `/${kept.join('/')}`;
}

/** Why nothing may be mounted at a path, in dockerd's words, or undefined where something may. */
export function refuseMountPoint(path: string): string | undefined {
  if (path === '') {
    return 'field Target must not be empty';
  }
  if (!path.startsWith('/')) {
    return `invalid mount path: '${path.slice(0, 200)}' mount path must be absolute`;
  }
  if (path.split('/').includes('..') || path.length > 4096) {
    return `invalid mount path: '${path.slice(0, 200)}'`;
  }
  const clean = cleanPath(path);
  if (clean === '/') {
    return "invalid specification: destination can't be '/'";
  }
  // What is mounted there would stand in for what the runtime and the kernel tell the container about itself.
  return clean === '/proc' || clean.startsWith('/proc/') || clean === '/sys' || clean === '/dev'
    ? `invalid mount path: '${clean.slice(0, 200)}' is the container's own`
    : undefined;
}
