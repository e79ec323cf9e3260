import type { ArchiveIndex } from './collect-entries.ts';
import { asList, asObject, asString, parseDocument } from './document.ts';
import type { ArchivedImage } from './types.ts';

const MAX_IMAGES = 1000;
const MAX_LAYERS = 512;
const MAX_NAMES = 1000;

/** The images of a manifest.json, as `docker save` writes it since 1.10. */
export function readDockerManifest(bytes: Uint8Array, index: ArchiveIndex): readonly ArchivedImage[] {
  const items = asList(parseDocument(bytes, 'manifest.json'), 'manifest.json', MAX_IMAGES);
  return items.map((item) => {
    const image = asObject(item, 'manifest.json');
    return {
      config: index.blob(asString(image['Config'], 'Config')),
      layers: asList(image['Layers'] ?? [], 'Layers', MAX_LAYERS).map((name) =>
        index.blob(asString(name, 'Layers')),
      ),
      names: asList(image['RepoTags'] ?? [], 'RepoTags', MAX_NAMES).map((name) => asString(name, 'RepoTags')),
      manifest: undefined,
      index: undefined,
    };
  });
}
