import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHostCgroups } from '../../src/host/cgroups.ts';
import { readHostFacts } from '../../src/host/facts.ts';
import { createHostProcesses } from '../../src/host/processes.ts';
import type { HostFacts, HostProcesses } from '../../src/host/types.ts';
import { probeWalls } from '../../src/job/probe-walls.ts';
import type { Wall } from '../../src/job/read-walls.ts';
import { hostWarnings, requireWalls, selfTest, type SelfTestOptions } from '../../src/job/self-test.ts';
import type { OciSpec } from '../../src/oci/spec-types.ts';
import type { Logger } from '../../src/logger.ts';
import { partOf } from '../support/records.ts';

// The probe container, run by the real runtime: with its walls, and with one of them taken down each time.

const processes = createHostProcesses();
let facts: HostFacts;
let directory = '';

beforeAll(async () => {
  facts = await readHostFacts(await createHostCgroups());
  directory = await mkdtemp('/tmp/berth-walls-');
});

afterAll(() => rm(directory, { recursive: true }));

type Change = (spec: OciSpec) => unknown;

/** A runtime that is given another spec than the one that was written for it. */
function runtimeThat(change: Change): HostProcesses {
  return {
    ...processes,
    async run(argv, options) {
      const bundle = argv[argv.indexOf('--bundle') + 1] ?? '';
      const file = join(bundle, 'config.json');
      const spec = JSON.parse(await readFile(file, 'utf8')) as OciSpec;
      await writeFile(file, JSON.stringify(change(spec)));
      return processes.run(argv, options);
    },
  };
}

function probe(runtime: HostProcesses): Promise<readonly Wall[]> {
  const cgroupPath = `/berth-walls-${process.pid}`;
  return probeWalls({ directory, cgroupPath, processes: runtime, facts });
}

function missing(walls: readonly Wall[]): readonly string[] {
  return walls.filter(({ stands }) => !stands).map(({ name }) => name);
}

describe('the probe container', () => {
  test('finds every wall standing, and leaves nothing', async () => {
    const walls = await probe(processes);
    expect(missing(walls)).toEqual([]);
    expect(walls).toHaveLength(7);
    expect(await readdir(directory)).toEqual([]);
  });

  const without: readonly (readonly [wall: string, change: Change])[] = [
    ['seccomp', (spec) => ({ ...spec, linux: { ...spec.linux, seccomp: undefined } })],
    ['no-new-privileges', (spec) => ({ ...spec, process: { ...spec.process, noNewPrivileges: false } })],
    [
      'capability drop',
      (spec) => {
        const more = [...spec.process.capabilities.bounding, 'CAP_SYS_ADMIN'];
        const capabilities = { ...spec.process.capabilities, bounding: more };
        return { ...spec, process: { ...spec.process, capabilities } };
      },
    ],
    [
      'device cgroup',
      (spec) => {
        const resources = { ...spec.linux.resources, devices: [{ allow: true, access: 'rwm' }] };
        return { ...spec, linux: { ...spec.linux, resources } };
      },
    ],
    ['masked paths', (spec) => ({ ...spec, linux: { ...spec.linux, maskedPaths: [] } })],
    ['read-only paths', (spec) => ({ ...spec, linux: { ...spec.linux, readonlyPaths: [] } })],
    [
      'process namespace',
      (spec) => {
        const namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'pid');
        return { ...spec, linux: { ...spec.linux, namespaces } };
      },
    ],
  ];
  test.each(without)('notices that %s is missing', async (wall, change) => {
    expect(missing(await probe(runtimeThat(change)))).toContain(wall);
  });

  test('that does not run at all is a missing wall', async () => {
    const walls = await probe(runtimeThat((spec) => ({ ...spec, root: { path: 'nowhere' } })));
    expect(missing(walls)).toEqual(['probe container']);
  });
});

describe('the self-test', () => {
  const optionsFor = (runtime: HostProcesses, root: string): SelfTestOptions => ({
    root,
    directory: join(root, 'probe'),
    cgroupPath: `/berth-walls-${process.pid}`,
    processes: runtime,
    facts,
    log: partOf<Logger>({}),
  });
  const counting = (runtime: HostProcesses): HostProcesses & { runs(): number } => {
    let runs = 0;
    return {
      ...runtime,
      runs: () => runs,
      run: (argv, options) => {
        if (argv.includes('run')) runs += 1;
        return argv.includes('run') ? runtime.run(argv, options) : processes.run(argv, options);
      },
    };
  };

  test('is made once, and again for another machine', async () => {
    const root = await mkdtemp(join(directory, 'root-'));
    const runtime = counting(processes);
    const first = await selfTest(optionsFor(runtime, root));
    expect(await selfTest(optionsFor(runtime, root))).toEqual(first);
    expect(runtime.runs()).toBe(1);
    expect((await stat(join(root, 'self-test.json'))).mode & 0o777).toBe(0o600);
    expect(() => requireWalls(first, false)).not.toThrow();
    const options = optionsFor(runtime, root);
    await selfTest({ ...options, facts: { ...facts, kernelVersion: '9.9.9' } });
    expect(runtime.runs()).toBe(2);
    await writeFile(join(root, 'self-test.json'), '{"key":');
    await selfTest(options);
    expect(runtime.runs()).toBe(3);
  });

  test('keeps a job from being served behind a missing wall, and is made again then', async () => {
    const root = await mkdtemp(join(directory, 'root-'));
    const runtime = counting(runtimeThat((spec) => ({ ...spec, linux: { ...spec.linux, maskedPaths: [] } })));
    const result = await selfTest(optionsFor(runtime, root));
    await selfTest(optionsFor(runtime, root));
    expect(runtime.runs()).toBe(2);
    expect(() => requireWalls(result, false)).toThrow(/masked paths \(.*can be seen\).*--accept-weak-host/);
    expect(() => requireWalls(result, true)).not.toThrow();
    expect(hostWarnings(result).join()).toContain('masked paths');
  });
});
