import { familiarString } from '../../oci/reference.ts';
import type { Image } from '../../state/image-store.ts';
import type { Job } from '../job.ts';
import type { Pull } from './pull-types.ts';

/** Says in the job's log and report what a pull took from the host and what from the network. */
export function reportPull(
  job: Job,
  { reference, target, traffic }: Pull,
  { image, durationMs }: { readonly image: Image; readonly durationMs: number },
): void {
  const { networkBytes, reusedLayers } = traffic;
  const entry = {
    image: familiarString(reference),
    digest: target.digest,
    cache: cacheWord(reusedLayers, image.layers.length, networkBytes),
    networkBytes,
    durationMs,
  } as const;
  job.pulls.add(entry);
  job.log.info({ ...entry, layers: image.layers.length, reusedLayers }, 'image pulled');
}

function cacheWord(reused: number, layers: number, networkBytes: number): 'hit' | 'partial' | 'miss' {
  if (networkBytes === 0) return 'hit';
  return reused === 0 && layers > 0 ? 'miss' : 'partial';
}
