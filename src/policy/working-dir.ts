import { cleanPath } from './mount-point.ts';
import { bad, type Finding } from './rule.ts';

/** Refuses a working directory that is not absolute, or below /proc, where descriptors of the runtime could be reached. */
export function checkWorkingDir(path: string): readonly Finding[] {
  if (path === '') {
    return [];
  }
  if (!path.startsWith('/') || path.length > 4096) {
    return [bad(`the working directory '${path.slice(0, 200)}' is invalid, it needs to be an absolute path`)];
  }
  const clean = cleanPath(path);
  return clean === '/proc' || clean.startsWith('/proc/')
    ? [bad(`the working directory '${path.slice(0, 200)}' is invalid, it must not be below /proc`)]
    : [];
}
