import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { createHostProcesses } from '../host/processes.ts';
import type { HostMounts } from '../host/types.ts';
import { createFileSystemTrust } from './file-system-trust.ts';
import type { Guard } from './guarded-files.ts';
import { createLookUpProcesses } from './look-up-processes.ts';

/** What a guard for a test is made with. */
export interface TestGuardOptions {
  readonly mounts: Pick<HostMounts, 'list' | 'listOf'>;
  /** On the file system that is trusted. */
  readonly directory: string;
  readonly silenceMs?: number;
}

/** The real guard; its processes run a bundle of berth's source. */
export async function createTestGuard({ mounts, directory, ...options }: TestGuardOptions): Promise<Guard> {
  const program = await bundleLookUp();
  const script = `import(${JSON.stringify(program)}).then(({ lookUp }) => lookUp(["${process.pid}"]))`;
  const argv = [process.execPath, '--input-type=module', '--eval', script];
  return {
    trust: await createFileSystemTrust(mounts, { own: [directory], given: [] }),
    processes: createLookUpProcesses({ ...options, start: () => createHostProcesses().startCompanion(argv) }),
    directory,
  };
}

async function bundleLookUp(): Promise<string> {
  // Below the packages, for a native one to be found from there.
  const outfile = fileURLToPath(
    new URL(`../../node_modules/.cache/berth-test/look-up-${process.pid}.mjs`, import.meta.url),
  );
  await build({
    entryPoints: [fileURLToPath(new URL('../cli/look-up.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['koffi'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return outfile;
}
