import type { LayerEntry } from '../../support/image-builder.ts';

/** A Dockerfile that is built by dockerd and by berth, with what is in its context besides. */
export interface BuildCase {
  readonly name: string;
  readonly dockerfile: string;
  readonly files?: readonly LayerEntry[];
  readonly args?: readonly string[];
  /** True for a build that must fail, in both with the same last words. */
  readonly fails?: boolean;
}

/** A file of a context. */
export const file = (path: string, content = `${path}\n`, mode = 0o644): LayerEntry => ({
  path,
  type: 'file',
  content,
  mode,
});
const directory = (path: string, mode = 0o755): LayerEntry => ({ path, type: 'directory', mode });
const link = (path: string, target: string): LayerEntry => ({ path, type: 'symlink', target });

/** The base of most rows. */
export const FROM = 'FROM busybox\n';
/** What the rows about files have in their context. */
export const TREE = [
  directory('src', 0o750),
  file('src/a.txt'),
  file('src/b.md', 'b', 0o600),
  directory('src/sub', 0o700),
  file('src/sub/c.txt', 'c', 0o755),
  link('src/link', 'a.txt'),
  file('one.txt', '1'),
  file('two.txt', '2'),
];

/** A row about instructions on the base. */
export const config = (name: string, text: string, args: readonly string[] = []): BuildCase => ({
  name,
  dockerfile: FROM + text,
  args,
});
/** A row about files of the tree. */
export const copy = (name: string, text: string, more: readonly LayerEntry[] = []): BuildCase => ({
  name,
  dockerfile: FROM + text,
  files: [...TREE, ...more],
});
/** A row that must fail, with the same last words. */
export const failing = (name: string, dockerfile: string, files: readonly LayerEntry[] = []): BuildCase => ({
  name,
  dockerfile,
  files,
  fails: true,
});
