import type { EngineClient } from './engine-client.ts';

/** One kind of work, done again and again on each daemon in turn. */
export interface Row {
  readonly name: string;
  readonly rounds: number;
  /** Done once per daemon before the rounds; its answer is given to each round. */
  prepare?(client: EngineClient): Promise<string>;
  /** One round. */
  run(client: EngineClient, prepared: string): Promise<void>;
  finish?(client: EngineClient, prepared: string): Promise<void>;
}

const IMAGE = 'bench:latest';

async function createContainer(client: EngineClient, cmd: readonly string[]): Promise<string> {
  const body = { Image: IMAGE, Cmd: cmd, HostConfig: { NetworkMode: 'none' } };
  return (await client.expect<{ Id: string }>('POST', '/containers/create', body)).Id;
}

async function runContainer(client: EngineClient): Promise<void> {
  const id = await createContainer(client, ['true']);
  const exit = client.expect<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=next-exit`);
  await client.expect('POST', `/containers/${id}/start`);
  const { StatusCode: code } = await exit;
  if (code !== 0) throw new Error(`container exited ${String(code)}`);
  await client.expect('DELETE', `/containers/${id}`);
}

async function execOnce(client: EngineClient, id: string): Promise<void> {
  const body = { Cmd: ['true'], AttachStdout: true, AttachStderr: true };
  const exec = await client.expect<{ Id: string }>('POST', `/containers/${id}/exec`, body);
  await client.expect('POST', `/exec/${exec.Id}/start`, { Detach: true });
  for (;;) {
    const { Running: running, ExitCode: code } = await client.expect<{
      Running: boolean;
      ExitCode: number | null;
    }>('GET', `/exec/${exec.Id}/json`);
    if (!running && code !== null) return;
  }
}

/** What is measured by requests; start-up and memory are measured by the bench itself. */
export const ROWS: readonly Row[] = [
  { name: 'create+start+wait+rm, no network', rounds: 15, run: runContainer },
  {
    name: 'exec: create, start, inspect until it ended',
    rounds: 20,
    async prepare(client) {
      const id = await createContainer(client, ['sleep', '1000']);
      await client.expect('POST', `/containers/${id}/start`);
      return id;
    },
    run: execOnce,
    async finish(client, id) {
      await client.expect('DELETE', `/containers/${id}?force=1`);
    },
  },
  {
    name: 'inspect',
    rounds: 50,
    prepare: (client) => createContainer(client, ['true']),
    async run(client, id) {
      await client.expect('GET', `/containers/${id}/json`);
    },
    async finish(client, id) {
      await client.expect('DELETE', `/containers/${id}`);
    },
  },
];
