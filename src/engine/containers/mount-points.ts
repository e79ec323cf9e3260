import { decodeSpec } from '../../oci/encode-spec.ts';
import type { Container } from '../../state/container.ts';

/** Paths in a container that the runtime mounts something at. */
export function mountPointsOf({ storedSpec }: Container): ReadonlySet<string> {
  // A container whose user its image does not know has only a placeholder for a spec.
  const { mounts = [] } =
    storedSpec === '' || storedSpec === '{}'
      ? {}
      : (decodeSpec(storedSpec) as Partial<ReturnType<typeof decodeSpec>>);
  return new Set(mounts.map(({ destination }) => destination));
}
