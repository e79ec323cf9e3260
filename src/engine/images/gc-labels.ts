const CONTENT = 'containerd.io/gc.ref.content';
const SNAPSHOT = 'containerd.io/gc.ref.snapshot';

/** Labels of an image configuration: it keeps the snapshots of the image. */
export function configLabels(chainId: string, snapshotter: string): Readonly<Record<string, string>> {
  return chainId === '' ? {} : { [`${SNAPSHOT}.${snapshotter}`]: chainId };
}

/** Labels of a manifest: it keeps its configuration and its layers. */
export function manifestLabels(manifest: {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}): Readonly<Record<string, string>> {
  const layers = manifest.layers.map(({ digest }, index) => [`${CONTENT}.l.${index}`, digest] as const);
  return { [`${CONTENT}.config`]: manifest.config.digest, ...Object.fromEntries(layers) };
}

/** Labels of an index: it keeps the manifest that was fetched; others of the index may join it later. */
export function indexLabels(manifestDigest: string): Readonly<Record<string, string>> {
  return { [`${CONTENT}.m.${manifestDigest.slice(-12)}`]: manifestDigest };
}
