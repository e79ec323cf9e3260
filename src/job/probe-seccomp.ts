import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { EngineError } from '../errors.ts';
import type { HostFacts, HostProcesses } from '../host/types.ts';
import { defaultSeccomp } from '../oci/seccomp.ts';

/** Directories of the host that make a program run in an otherwise empty root. */
const PROGRAM_DIRECTORIES = ['/bin', '/lib', '/lib64', '/usr'];

/** Runs a container that reads its own status, and answers the kernel's word for its seccomp mode: `2` is a filter. */
export async function probeSeccomp(processes: HostProcesses, facts: HostFacts): Promise<string> {
  const bundle = await mkdtemp(join(tmpdir(), 'berth-probe-'));
  try {
    await mkdir(join(bundle, 'rootfs'));
    await writeFile(join(bundle, 'config.json'), JSON.stringify(probeSpec(facts)));
    const state = join(bundle, 'state');
    const { code, stdout, stderr } = await processes.run(
      ['runc', '--root', state, 'run', '--bundle', bundle, basename(bundle)],
      { timeoutMs: 20_000 },
    );
    const mode = /^Seccomp:\t(\d)$/m.exec(stdout)?.[1];
    if (code !== 0 || mode === undefined)
      throw new EngineError('Internal', stderr.trim() || `exit code ${String(code)}`);
    return mode;
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

function probeSpec(facts: HostFacts): unknown {
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: 0, gid: 0 },
      args: ['/bin/cat', '/proc/self/status'],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: false },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      ...PROGRAM_DIRECTORIES.filter((path) => existsSync(path)).map((path) => ({
        destination: path,
        type: 'bind',
        source: path,
        options: ['rbind', 'ro'],
      })),
    ],
    linux: {
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
      seccomp: defaultSeccomp([], facts),
    },
  };
}
