import { EngineError } from '../../errors.ts';
import type { Container } from '../../state/container.ts';
import type { ContainerRef } from '../../state/container-store.ts';
import { ignoreAbsent } from '../ignore-absent.ts';
import type { Job } from '../job.ts';
import { openClientPlace, type ClientPlace, type ClientStreams } from './connect-client.ts';
import { emitContainerEvent } from './emit-container-event.ts';
import { openSession } from './open-session.ts';
import { parseDetachKeys } from './parse-detach-keys.ts';
import { isPaused } from './require-running.ts';

/** What `POST /containers/{id}/attach` asks for. */
export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Go on with what comes. */
  readonly stream: boolean;
  /** Begin with what has been. */
  readonly logs: boolean;
  readonly detachKeys: string;
}

/** A prepared attach: `join` it to the client's connection, or `cancel` it. */
export interface Attachment {
  readonly isTty: boolean;
  /** Resolves when there is nothing more to exchange. */
  join(client: ClientStreams): Promise<void>;
  cancel(): void;
}

/** Takes a place at the container's streams, running or not: what it prints from now on is not missed. */
export async function attachContainer(
  job: Job,
  containerRef: ContainerRef,
  options: AttachOptions,
): Promise<Attachment> {
  const container = job.containers.resolve(containerRef);
  if (isPaused(container))
    throw new EngineError(
      'Conflict',
      `container ${container.id} is paused. Unpause the container before attach`,
    );
  if (container.record.state.status === 'restarting')
    throw new EngineError(
      'Conflict',
      `container ${container.id} is restarting, wait until the container is running`,
    );
  const { Tty: isTty } = container.record.config;
  const detachKeys = parseDetachKeys(options.detachKeys);
  // What is printed now is in the log and on its way to the streams: from one source, nothing comes twice.
  const followsLog = options.stream && options.logs && container.run?.logWriter !== undefined;
  const place = options.stream
    ? await takePlace(job, container, {
        options: followsLog ? { ...options, stdout: false, stderr: false } : options,
        detachKeys: isTty ? detachKeys : Buffer.alloc(0),
      })
    : undefined;
  emitContainerEvent(job, container, { action: 'attach' });
  return {
    isTty,
    cancel: () => {
      place?.cancel();
    },
    async join(client) {
      // Over on a detach too, where the client itself is still there.
      const leaving = new AbortController();
      const signal = AbortSignal.any([client.signal, leaving.signal]);
      const replay = options.logs
        ? replayLog(job, container, { options, client, follow: followsLog, signal })
        : Promise.resolve();
      replay.catch(() => undefined);
      if (!followsLog) await replay;
      const how = await place?.join(client);
      if (how !== 'ended') leaving.abort();
      else await replay;
      if (how === 'detached') emitContainerEvent(job, container, { action: 'detach' });
    },
  };
}

async function takePlace(
  job: Job,
  container: Container,
  asked: { readonly options: AttachOptions; readonly detachKeys: Buffer },
): Promise<ClientPlace> {
  const { config } = container.record;
  const session = await openSession(job, container);
  return openClientPlace(session, {
    stdin: asked.options.stdin && config.OpenStdin,
    stdout: asked.options.stdout,
    stderr: asked.options.stderr,
    detachKeys: asked.detachKeys,
    closeStdin:
      config.StdinOnce && !config.Tty
        ? async () => {
            await session.io.closeStdin();
            await ignoreAbsent(job.containerd.tasks.closeIo({ containerId: container.id }));
          }
        : undefined,
  });
}

async function replayLog(
  job: Job,
  container: Container,
  replay: {
    readonly options: AttachOptions;
    readonly client: ClientStreams;
    readonly follow: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { follow, signal } = replay;
  const { stdout, stderr } = replay.options;
  const frames = job.logs.read(
    container.id,
    { stdout, stderr, follow, timestamps: false, tail: 'all', sinceNs: undefined, untilNs: undefined },
    signal,
  );
  for await (const frame of frames) await replay.client.write(frame.stream, frame.data);
}
