import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadCommandLine } from './load.ts';

interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly restartPolicy?: string;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface PodSpec {
  readonly volumes: readonly { readonly name: string }[];
  readonly initContainers: readonly PodContainer[];
  readonly containers: readonly PodContainer[];
}

const directory = join(import.meta.dirname, '../../config/kubernetes');

async function specOf(file: string): Promise<PodSpec> {
  const manifest = parse(await readFile(join(directory, file), 'utf8'), { strict: true }) as {
    readonly spec?: PodSpec;
    readonly template?: { readonly spec: PodSpec };
  };
  const spec = manifest.spec ?? manifest.template?.spec;
  if (!spec) throw new Error(`${file} has no pod`);
  return spec;
}

// Structure only: the schemas of Kubernetes are not at hand here.
describe.each(['job-pod.yaml', 'arc-values.yaml'])('%s', (file) => {
  it('mounts nothing that it does not declare, and nothing twice', async () => {
    const { volumes, initContainers, containers } = await specOf(file);
    const declared = volumes.map(({ name }) => name);
    expect(new Set(declared).size).toBe(declared.length);
    const used = [...initContainers, ...containers].flatMap(({ volumeMounts }) =>
      volumeMounts.map(({ name }) => name),
    );
    expect(new Set(used)).toEqual(new Set(declared));
    for (const { volumeMounts } of [...initContainers, ...containers]) {
      const paths = volumeMounts.map(({ mountPath }) => mountPath);
      expect(new Set(paths).size).toBe(paths.length);
    }
  });

  it('starts berth as a sidecar, with options that it has', async () => {
    const { initContainers } = await specOf(file);
    const berth = initContainers.find(({ name }) => name === 'berth');
    expect(berth?.restartPolicy).toBe('Always');
    const [command, ...args] = berth?.args ?? [];
    expect(command).toBe('serve');
    const line = loadCommandLine(
      args.map((arg) => arg.replace('$(JOB_ID)', 'a-job')),
      'serve',
    );
    expect(line.job).toBe('a-job');
  });

  it('gives the job the socket and the workspace by the paths that berth has them at', async () => {
    const { initContainers, containers } = await specOf(file);
    const [berth, job] = [initContainers[0], containers[0]];
    const option = (name: string): string =>
      berth?.args?.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
    const pathOf = (container: PodContainer | undefined, path: string): string | undefined =>
      container?.volumeMounts.find(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`))
        ?.name;
    for (const path of [option('socket'), option('workspace')]) {
      expect(pathOf(berth, path)).toBeDefined();
      expect(pathOf(job, path)).toBe(pathOf(berth, path));
    }
    const host = job?.env?.find(({ name }) => name === 'DOCKER_HOST')?.value;
    expect(host).toBe(`unix://${option('socket')}`);
  });
});
