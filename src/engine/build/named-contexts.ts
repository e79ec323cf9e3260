import type { RootHandle } from '../../rootfs/types.ts';
import type { BuildRun, ContextSource } from './build-run.ts';
import { openContext } from './open-context.ts';

/** What a client puts in the place of a stage or an image that the Dockerfile names. */
export type NamedContext =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'files'; readonly source: ContextSource };

/** By the names that stages and images have in the Dockerfile. */
export type NamedContexts = ReadonlyMap<string, NamedContext>;

/** The context of this name; an image's may be written in full. */
export function findContext(contexts: NamedContexts, name: string): NamedContext | undefined {
  if (contexts.size === 0) return undefined;
  const familiar = name.replace(/^docker\.io\/(?:library\/)?/, '').replace(/:latest$/, '');
  return contexts.get(name) ?? contexts.get(name.toLowerCase()) ?? contexts.get(familiar);
}

/** The files of a context; all uses of one in a build share them. */
export function openNamedFiles(run: BuildRun, source: ContextSource): Promise<RootHandle> {
  const { job, scratch, signal, undo, openedContexts } = run;
  const opened = openedContexts.get(source) ?? openContext(job, { source, scratch, signal, undo });
  openedContexts.set(source, opened);
  return opened;
}
