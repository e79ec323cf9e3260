import type { HostConfig } from '../wire/host-config.ts';
import { parseBind } from './bind-spec.ts';
import { cleanPath } from './mount-point.ts';
import { bad, type Finding } from './rule.ts';

/** Refuses two mounts at one place. Anonymous volumes do not count: anything else at their place stands in for them. */
export function checkMountPoints(host: HostConfig): readonly Finding[] {
  const targets = [
    ...(host.Binds ?? []).flatMap((text) => parseBind(text)?.target ?? []),
    ...(host.Mounts ?? []).flatMap((mount) => mount.Target ?? []),
    ...Object.keys(host.Tmpfs ?? {}),
  ].map(cleanPath);
  const seen = new Set<string>();
  for (const target of targets) {
    if (seen.has(target)) {
      return [bad(`Duplicate mount point: ${target.slice(0, 200)}`)];
    }
    seen.add(target);
  }
  return [];
}
