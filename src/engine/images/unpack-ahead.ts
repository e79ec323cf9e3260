import { messageOf } from '../../errors.ts';
import { parseImageConfig } from '../../oci/image-config.ts';
import { layerMediaType } from '../../oci/media-types.ts';
import { platformDistance, type Platform } from '../../oci/platform.ts';
import { chainIdsOf } from './chain-ids.ts';
import type { ImageWork } from './image-work.ts';
import { unpackLayerOn, type UnpackListener } from './unpack-layers.ts';

/** Unpacks layers of an archive while the rest of it is on its way. */
export interface UnpackAhead {
  /** A blob that is in the store, not compressed; with its bytes where it is small enough to be a configuration. */
  arrived(blob: { readonly digest: string; readonly size: number }, bytes: Uint8Array | undefined): void;
  /** Resolves when nothing is being unpacked any more, and nothing will be; never rejects. */
  end(): Promise<void>;
}

/** What configurations say that layers are to be stacked like. */
interface Chain {
  readonly diffIds: readonly string[];
  readonly chainIds: readonly string[];
  /** How many of them are unpacked. */
  done: number;
}

const MAX_CHAINS = 16;

/**
 * An archive names its images last, but their configurations tell which layer is on which as soon as they are there, and
 * the digest of a layer that is not compressed is its diff id: so a layer is unpacked while the next is written, on the
 * other processor. That is speed alone: what fails here, or is not named in the end, is as if it had not been begun.
 */
export function createUnpackAhead(
  work: ImageWork,
  platform: Platform,
  listener: Pick<UnpackListener, 'extracting'>,
): UnpackAhead {
  const sizes = new Map<string, number>();
  const chains: Chain[] = [];
  let isOver = false;
  let running: Promise<void> | undefined;
  const findReady = (): Chain | undefined =>
    chains.find(({ diffIds, done }) => done < diffIds.length && sizes.has(diffIds[done] ?? ''));
  const unpackReady = async (): Promise<void> => {
    for (let chain = findReady(); chain && !isOver && !work.signal.aborted; chain = findReady()) {
      await unpackNext(work, { chain, sizes, listener });
      chain.done += 1;
    }
  };
  const proceed = (): void => {
    running ??= unpackReady()
      .catch((error: unknown) => {
        isOver = true;
        work.job.log.debug({ err: messageOf(error) }, 'layer not unpacked ahead');
      })
      .finally(() => {
        running = undefined;
        if (!isOver && findReady()) proceed();
      });
  };
  return {
    arrived({ digest, size }, bytes) {
      sizes.set(digest, size);
      const chain = bytes && chains.length < MAX_CHAINS ? readChain(bytes, platform) : undefined;
      if (chain) chains.push(chain);
      if (!isOver && findReady()) proceed();
    },
    async end() {
      isOver = true;
      await running;
    },
  };
}

function readChain(bytes: Uint8Array, platform: Platform): Chain | undefined {
  try {
    const config = parseImageConfig(bytes);
    if (platformDistance(platform, config.platform) === undefined) return undefined;
    return { diffIds: config.diffIds, chainIds: chainIdsOf(config.diffIds), done: 0 };
  } catch {
    // Anything may be in an archive.
    return undefined;
  }
}

async function unpackNext(
  work: ImageWork,
  {
    chain: { diffIds, chainIds, done },
    sizes,
    listener,
  }: {
    readonly chain: Chain;
    readonly sizes: ReadonlyMap<string, number>;
    readonly listener: Pick<UnpackListener, 'extracting'>;
  },
): Promise<void> {
  const diffId = diffIds[done] ?? '';
  const blob = { mediaType: layerMediaType('none'), digest: diffId, size: sizes.get(diffId) ?? 0 };
  const below = done === 0 ? '' : (chainIds[done - 1] ?? '');
  await unpackLayerOn(work, { blob, diffId, chainId: chainIds[done] ?? '', below }, listener);
}
