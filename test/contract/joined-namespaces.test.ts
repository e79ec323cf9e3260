import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { OciSpec } from '../../src/oci/spec-types.ts';
import { startFakeJob, type FakeJob } from '../support/fake-job.ts';
import { scriptedProgram } from '../support/fake-programs.ts';

let fake: FakeJob;

beforeAll(async () => {
  fake = await startFakeJob();
  fake.containerd.setProgram(scriptedProgram);
});
afterEach(() => fake.clear());
afterAll(async () => {
  await fake.close();
  expect(fake.failures).toEqual([]);
});

async function create(name: string, HostConfig: object = {}): Promise<string> {
  const body = { Image: 'app', Cmd: ['hold'], HostConfig };
  const { status, body: answer, message } = await fake.api.post(`/containers/create?name=${name}`, body);
  expect({ status, message }).toEqual({ status: 201, message: '' });
  return (answer as { readonly Id: string }).Id;
}

async function start(id: string): Promise<{ readonly status: number; readonly message: string }> {
  const { status, message } = await fake.api.post(`/containers/${id}/start`);
  return { status, message };
}

async function specOf(id: string): Promise<OciSpec> {
  const [found] = (await fake.containerd.containerd.containers.list()).filter((one) => one.id === id);
  return JSON.parse(Buffer.from(found?.spec.value ?? []).toString()) as OciSpec;
}

const MODES = [
  ['PID', 'PidMode'],
  ['IPC', 'IpcMode'],
] as const;

describe('a container that joins another one', () => {
  it.each(MODES)('has its %s namespace, and the rest for itself', async (name, mode) => {
    const target = await create('target', { IpcMode: 'shareable' });
    expect(await start(target)).toEqual({ status: 204, message: '' });
    const joiner = await create('joiner', { [mode]: 'container:target' });
    expect(await start(joiner)).toEqual({ status: 204, message: '' });
    const kind = name.toLowerCase();
    const { namespaces } = (await specOf(joiner)).linux;
    expect(namespaces.filter(({ path }) => path?.startsWith('/fake/ns/') === true)).toEqual([
      { type: kind, path: `/fake/ns/${joiner}-${kind}` },
    ]);
    const { body } = await fake.api.get(`/containers/${joiner}/json`);
    expect(body).toMatchObject({ HostConfig: { [mode]: `container:${target}` } });
  });

  it.each(MODES)('needs it to run: %s', async (name, mode) => {
    const target = await create('target', { IpcMode: 'shareable' });
    const joiner = await create('joiner', { [mode]: 'container:target' });
    const failed = {
      status: 409,
      message: `failed to join ${name} namespace: container ${target} is not running`,
    };
    expect(await start(joiner)).toEqual(failed);
    const { body } = await fake.api.get(`/containers/${joiner}/json`);
    expect(body).toMatchObject({ State: { Status: 'created', Error: failed.message, ExitCode: 128 } });
    await fake.api.post(`/containers/${target}/start`);
    expect(await start(joiner)).toEqual({ status: 204, message: '' });
  });

  it.each(MODES)('is an error of the request where that is not there any more: %s', async (_, mode) => {
    const target = await create('target', { IpcMode: 'shareable' });
    const joiner = await create('joiner', { [mode]: 'container:target' });
    await fake.api.delete(`/containers/${target}`);
    expect(await start(joiner)).toEqual({ status: 404, message: `No such container: ${target}` });
  });

  it.each(['private', 'none'])('needs memory that is shared: %s', async (IpcMode) => {
    const target = await create('target', { IpcMode });
    await start(target);
    const joiner = await create('joiner', { IpcMode: 'container:target' });
    expect(await start(joiner)).toEqual({
      status: 400,
      message: `failed to join IPC namespace: container ${target}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    });
  });
});
