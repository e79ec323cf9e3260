import type { Readable } from 'node:stream';
import { EngineError } from '../errors.ts';
import { collectEntries, type ArchiveIndex } from './collect-entries.ts';
import { readDockerManifest } from './docker-archive.ts';
import { readOciLayout } from './oci-layout.ts';
import type { ArchivedImage, ArchiveSink, ImageArchives } from './types.ts';

/** Reads the images of a `docker save` archive (old or new style) or of a tarred OCI layout. */
export function createImageArchives(): ImageArchives {
  return { readImages };
}

async function readImages(
  tar: Readable,
  sink: ArchiveSink,
  signal: AbortSignal,
): Promise<readonly ArchivedImage[]> {
  const index = await collectEntries(tar, sink, signal);
  // A new `docker save` writes both; manifest.json is the one that names what the user asked for.
  return imagesOf(index, sink);
}

async function imagesOf(index: ArchiveIndex, sink: ArchiveSink): Promise<readonly ArchivedImage[]> {
  const manifest = index.document('manifest.json');
  if (manifest !== undefined) return readDockerManifest(manifest, index);
  const layout = index.document('index.json');
  if (layout !== undefined) return readOciLayout(layout, index, sink);
  throw new EngineError('InvalidArgument', 'open manifest.json: no such file or directory');
}
