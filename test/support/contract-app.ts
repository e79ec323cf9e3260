import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/api/app.ts';
import { createDockerServer } from '../../src/api/docker-server.ts';
import { inGroup } from '../../src/api/http/route-group.ts';
import type { Route, RouteDefinition } from '../../src/api/http/route.ts';
import { loadCommandLine } from '../../src/config/load.ts';
import type { Settings } from '../../src/config/schema.ts';
import type { Job } from '../../src/engine/job.ts';
import { listen } from '../../src/job/listen.ts';
import { createTaskTracker } from '../../src/lib/task-tracker.ts';
import type { Logger } from '../../src/logger.ts';
import { JOB_PERMISSIONS } from '../../src/policy/endpoint-permissions.ts';
import { makeJob, partOf } from './records.ts';
import { SILENT_AUDIT } from './silent-audit.ts';

/** One line that the app has logged. */
export interface LoggedLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
}

/** The app on a socket of its own. */
export interface ContractApp {
  readonly socketPath: string;
  readonly job: Job;
  /** What was logged so far, oldest first. */
  readonly logged: readonly LoggedLine[];
  close(): Promise<void>;
}

function recordingLogger(lines: LoggedLine[]): Logger {
  const at =
    (level: LoggedLine['level']) =>
    (_fields: unknown, message = ''): void => {
      lines.push({ level, message });
    };
  return partOf<Logger>({ error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') });
}

/** Endpoints that a test makes up are in a group that is open. */
function grouped(route: Route | RouteDefinition): readonly Route[] {
  return 'group' in route ? [route] : inGroup('containers', [route]);
}

/** The limits that hold where the operator sets none. */
export const DEFAULT_LIMITS = loadCommandLine(['--config', '/dev/null'], 'serve').settings.limits;

/** Starts the app with these routes on a job of these parts; `close` also removes its directory. */
export async function startContractApp(
  routes: readonly (Route | RouteDefinition)[],
  parts: Partial<Job> = {},
): Promise<ContractApp> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-contract-'));
  const socketPath = join(directory, 'docker.sock');
  const logged: LoggedLine[] = [];
  const job = makeJob({
    log: recordingLogger(logged),
    signal: new AbortController().signal,
    audit: SILENT_AUDIT,
    tasks: createTaskTracker((message) => void logged.push({ level: 'error', message })),
    paths: {
      stateDir: '/var/lib/berth/jobs/j',
      runDir: '/run/berth/j',
      socket: socketPath,
      controlSocket: '',
    },
    settings: partOf<Settings>({
      root: '/var/lib/berth',
      runDir: '/run/berth',
      insecureRegistries: ['reg.test:5000', '10.0.0.0/8'],
      logLevel: 'info',
      api: JOB_PERMISSIONS,
      allowPrivileged: undefined,
      neutralise: [],
      fence: undefined,
      hostPlatform: 'linux',
      limits: DEFAULT_LIMITS,
    }),
    ...parts,
  });
  const served = routes.flatMap(grouped);
  const app = Promise.resolve(createApp({ job, routes: served }));
  const server = createDockerServer({
    app,
    answersPings: false,
    hijackRoutes: routes.filter(({ hijack }) => hijack === true),
  });
  const listener = await listen({ socketPath, app: server, mode: 0o666 });
  return {
    socketPath,
    job,
    logged,
    async close() {
      await listener.close();
      await rm(directory, { recursive: true });
    },
  };
}
