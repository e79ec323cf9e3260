import { finished, Readable } from 'node:stream';

import type { Libc } from '../host/types.ts';
import { createDeferred } from '../lib/deferred.ts';
import type { FileSystemTrust } from './file-system-trust.ts';
import type { LocalFiles } from './local-files.ts';
import type { LookUpProcesses } from './look-up-processes.ts';
import type { HeldRoot } from './look-up-request.ts';
import type { ContainerView } from './open-view.ts';
import { chunkBytes } from './read-archive.ts';
import type { PathStat, RootHandle } from './types.ts';

/** What keeps look-ups into files that may never answer away from this process. */
export interface Guard {
  readonly trust: FileSystemTrust;
  readonly processes: LookUpProcesses;
  /** Where look-up processes make their short-lived mounts; cleared with the job. */
  readonly directory: string;
}

/** Does here what cannot hang, and leaves the rest to look-up processes. */
export function createGuardedFiles(local: LocalFiles, processes: LookUpProcesses): LocalFiles {
  return {
    stat(root, path) {
      if (!root.mayHang) return local.stat(root, path);
      const request = { verb: 'stat', root: heldRoot(root), path } as const;
      return processes.run(request, { path }, ({ answer }) => Promise.resolve(answer));
    },
    async readFile(root, path, maxBytes) {
      if (!root.mayHang) return local.readFile(root, path, maxBytes);
      const request = { verb: 'readFile', root: heldRoot(root), path, maxBytes } as const;
      return processes.run(request, { path }, async ({ answer, data }) => {
        const chunks: Buffer[] = [];
        for await (const chunk of data()) chunks.push(chunk);
        return answer.exists ? Buffer.concat(chunks) : undefined;
      });
    },
    readArchive(root, path, signal) {
      if (!root.mayHang) return local.readArchive(root, path, signal);
      return readArchive(processes, { root, path, signal });
    },
    writeArchive({ root, path }, tar, given) {
      if (!root.mayHang) return local.writeArchive({ root, path }, tar, given);
      const { signal, noOverwriteDirNonDir, copyUidGid, owner } = given;
      const options = { noOverwriteDirNonDir, copyUidGid, ...(owner ? { owner } : {}) };
      const request = { verb: 'writeArchive', root: heldRoot(root), path, options } as const;
      return processes.run(request, { path, signal, body: tar as AsyncIterable<Buffer> }, () =>
        Promise.resolve(),
      );
    },
  };
}

/** The process is taken until the tar is read or destroyed. */
function readArchive(
  processes: LookUpProcesses,
  { root, path, signal }: { readonly root: RootHandle; readonly path: string; readonly signal: AbortSignal },
): Promise<{ readonly stat: PathStat; readonly tar: Readable }> {
  const opened = createDeferred<{ readonly stat: PathStat; readonly tar: Readable }>();
  const request = { verb: 'readArchive', root: heldRoot(root), path } as const;
  processes
    .run(request, { path, signal }, async ({ answer, data }) => {
      const tar = Readable.from(data(), { objectMode: false, highWaterMark: chunkBytes });
      opened.resolve({ stat: answer, tar });
      await new Promise<void>((resolve) => {
        // Its failure is told to whoever reads it.
        finished(tar, () => resolve());
      });
    })
    .catch((error: unknown) => opened.reject(error));
  return opened.promise;
}

/** A container's view made by a look-up process; answers the descriptor of its root. */
export function openGuardedView(
  { libc, guard }: { readonly libc: Libc; readonly guard: Guard },
  view: ContainerView,
): Promise<number> {
  const request = { verb: 'view', view, directory: guard.directory } as const;
  const path = view.inner.map(({ target }) => target).join(', ');
  return guard.processes.run(request, { path }, ({ pid, answer }) =>
    Promise.resolve(libc.takeFd(pid, answer.fd)),
  );
}

function heldRoot({ fd, name }: RootHandle): HeldRoot {
  return { fd, ...(name === undefined ? {} : { name }) };
}
