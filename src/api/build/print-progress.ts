import { StringDecoder } from 'node:string_decoder';
import type { BuildProgress } from '../../engine/build/build-progress.ts';
import { withBar } from '../images/progress-bar.ts';

/** One line of a build's answer. */
export type BuildLine = Readonly<Record<string, unknown>>;

const SHORT_ID = 12;
// dockerd shows what comes from stderr in red.
const RED = '\u001b[91m';
const PLAIN = '\u001b[0m';

/** Turns a build's progress into the words of dockerd's classic builder, which clients read ids out of. */
export class BuildPrinter {
  #decoders = newDecoders();

  print(progress: BuildProgress): readonly BuildLine[] {
    switch (progress.kind) {
      case 'step': {
        const { number, total, source } = progress.step;
        this.#decoders = newDecoders();
        return [text(`Step ${number}/${total} : ${source}`), text('\n')];
      }
      case 'cached':
        return [text(' ---> Using cache\n')];
      case 'running':
        return [text(` ---> Running in ${progress.containerId.slice(0, SHORT_ID)}\n`)];
      case 'removed':
        return [text(`Removing intermediate container ${progress.containerId.slice(0, SHORT_ID)}\n`)];
      case 'output':
        return this.#output(progress);
      case 'pull':
        return [withBar(progress.progress) as BuildLine];
      case 'note':
        return [text(progress.text)];
      case 'done':
        return [text(` ---> ${shortImageId(progress.imageId)}\n`)];
      case 'stage':
        return [{ aux: { ID: progress.imageId } }];
      case 'built':
        return [text(`Successfully built ${shortImageId(progress.imageId)}\n`)];
      case 'tagged':
        return [text(`Successfully tagged ${progress.name}\n`)];
    }
  }

  #output({ stream, data }: BuildProgress & { readonly kind: 'output' }): readonly BuildLine[] {
    // A character may come in two pieces.
    const decoded = this.#decoders[stream].write(Buffer.from(data));
    if (decoded === '') return [];
    return [text(stream === 'stderr' ? `${RED}${decoded}${PLAIN}` : decoded)];
  }
}

function newDecoders(): Readonly<Record<'stdout' | 'stderr', StringDecoder>> {
  return { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
}

function text(stream: string): BuildLine {
  return { stream };
}

function shortImageId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, SHORT_ID);
}
