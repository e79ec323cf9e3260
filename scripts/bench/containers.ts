import { json } from 'node:stream/consumers';
import type { EngineClient } from './engine-client.ts';

/** The name of the image that all rows run. */
export const IMAGE = 'bench:latest';

/** What a row's container has besides its command. */
export interface ContainerShape {
  readonly network?: string;
  /** Publishes port 80 on any free one. */
  readonly publishes?: boolean;
  readonly stdin?: boolean;
  readonly name?: string;
}

/** Creates a container without network, unless its shape says more; answers its id. */
export async function createContainer(
  client: EngineClient,
  argv: readonly string[],
  shape: ContainerShape = {},
): Promise<string> {
  const body = {
    Image: IMAGE,
    Cmd: argv,
    AttachStdout: true,
    AttachStderr: true,
    ...(shape.stdin ? { OpenStdin: true, StdinOnce: true, AttachStdin: true } : {}),
    ...(shape.publishes ? { ExposedPorts: { '80/tcp': {} } } : {}),
    HostConfig: {
      NetworkMode: shape.network ?? 'none',
      ...(shape.publishes ? { PortBindings: { '80/tcp': [{ HostPort: '' }] } } : {}),
    },
  };
  const query = shape.name === undefined ? '' : `?name=${shape.name}`;
  return (await client.expect<{ Id: string }>('POST', `/containers/create${query}`, body)).Id;
}

/** Creates and starts a container. */
export async function startContainer(
  client: EngineClient,
  argv: readonly string[],
  shape: ContainerShape = {},
): Promise<string> {
  const id = await createContainer(client, argv, shape);
  await client.expect('POST', `/containers/${id}/start`);
  return id;
}

/** Begins to wait for an exit; answers once the daemon does, with the rest of it: that throws unless the exit code is 0. */
export async function beginWait(
  client: EngineClient,
  id: string,
  condition: 'next-exit' | 'not-running',
): Promise<() => Promise<void>> {
  const answer = await client.stream('POST', `/containers/${id}/wait?condition=${condition}`);
  return async () => {
    const { StatusCode: code } = (await json(answer)) as { readonly StatusCode: number };
    if (code !== 0) throw new Error(`container ${id} exited ${String(code)}`);
  };
}

/** Starts a container and waits for its end; throws unless the exit code is 0. */
export async function startAndWait(client: EngineClient, id: string): Promise<void> {
  const exit = await beginWait(client, id, 'next-exit');
  await client.expect('POST', `/containers/${id}/start`);
  await exit();
}

/** Waits until a container has ended; throws unless the exit code is 0. */
export async function requireSuccess(client: EngineClient, id: string): Promise<void> {
  await (
    await beginWait(client, id, 'not-running')
  )();
}

/** Removes a container, running or not. */
export async function removeContainer(client: EngineClient, id: string): Promise<void> {
  await client.expect('DELETE', `/containers/${id}?force=1`);
}
