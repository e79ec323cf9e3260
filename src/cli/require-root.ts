import { EngineError } from '../errors.ts';

/** berth makes namespaces, mounts and cgroups: without root nothing of it works, so it says so first. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new EngineError(
      'PermissionDenied',
      'berth must run as root: it makes namespaces, mounts and cgroups',
    );
}
