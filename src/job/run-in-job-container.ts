import { attachContainer } from '../engine/containers/attach-container.ts';
import { createContainer } from '../engine/containers/create-container.ts';
import { startContainer } from '../engine/containers/start-container.ts';
import { signalContainer } from '../engine/containers/signal-container.ts';
import { pullImage } from '../engine/images/pull-image.ts';
import { EngineError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import type { ContainerMount } from '../state/container.ts';
import { defaultCreateRequest } from './default-create-request.ts';
import { parseEnvironment } from './command-environment.ts';
import { jobEnvironment } from './environment.ts';
import type { OpenJob } from './open-job.ts';
import type { JobCommand } from './run-in-job-netns.ts';
import { terminalStreams } from './terminal-streams.ts';

/** A command to run in a container of its own. */
export interface JobContainerCommand extends JobCommand {
  readonly image: string;
  /** `HOST:PATH[:ro]`, the operator's own word: not the job's, so not the gate's business. */
  readonly volumes: readonly string[];
}

const SOCKET_IN_CONTAINER = '/var/run/docker.sock';
const SIGTERM = 15;

/** Runs a command in the job container: the job's socket, network and cgroup, and no trace of it for the job's clients. */
export async function runInJobContainer(
  open: OpenJob,
  asked: JobContainerCommand,
  signal: AbortSignal,
): Promise<number> {
  const { job } = open;
  await pullImage(job, {
    reference: parseReference(asked.image),
    platform: '',
    report: () => undefined,
    signal,
  });
  const env = {
    ...jobEnvironment({ kind: 'unix', path: SOCKET_IN_CONTAINER }),
    ...parseEnvironment(asked.env, asked.ownEnv),
  };
  const { id } = await createContainer(job, {
    name: '',
    platform: '',
    warnings: [],
    isHidden: true,
    extraMounts: [
      hostMount(job.paths.socket, SOCKET_IN_CONTAINER, true),
      ...job.settings.workspaces.map((path) => hostMount(path, path, true)),
      ...asked.volumes.map(parseVolume),
    ],
    request: defaultCreateRequest({
      image: asked.image,
      command: asked.command,
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      workingDir: job.settings.workspaces[0] ?? '',
    }),
  });
  // Before its first process can ask for a bind: host paths of the job are paths in there.
  await job.jobContainer.set({ kind: 'containerd', namespace: job.namespace, id });
  return runToEnd(open, id, signal);
}

async function runToEnd(open: OpenJob, id: string, signal: AbortSignal): Promise<number> {
  const { job } = open;
  const container = job.containers.get(id);
  if (!container) throw new EngineError('Internal', 'the job container is not there');
  const attachment = await attachContainer(job, container, {
    stdin: true,
    stdout: true,
    stderr: true,
    stream: true,
    logs: false,
    detachKeys: '',
  });
  const { promise: exit } = container.nextExit;
  await startContainer(job, container);
  const stop = (): void => {
    job.tasks.track('signal to the job container', signalContainer(job, container, SIGTERM));
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  const streams = terminalStreams();
  const talk = attachment.join(streams);
  const { exitCode } = await exit;
  await talk;
  streams.release();
  return exitCode;
}

function parseVolume(text: string): ContainerMount {
  const [source, destination, mode, ...more] = text.split(':');
  const isMode = mode === undefined || mode === 'ro' || mode === 'rw';
  if (!source?.startsWith('/') || !destination?.startsWith('/') || !isMode || more.length > 0)
    throw new EngineError(
      'InvalidArgument',
      `invalid volume ${JSON.stringify(text)}: it is HOST:PATH[:ro], both absolute`,
    );
  return hostMount(source, destination, mode !== 'ro');
}

function hostMount(hostPath: string, destination: string, isReadWrite: boolean): ContainerMount {
  return {
    type: 'bind',
    name: '',
    shownSource: hostPath,
    hostPath,
    destination,
    isReadWrite,
    mode: '',
    propagation: 'rprivate',
    isAnonymous: false,
  };
}
