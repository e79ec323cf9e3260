import type { ServerUnaryCall, ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { EngineError } from '../errors.ts';
import type {
  DiskUsageRequest,
  PruneRequest,
  SolveRequest as ControlSolveRequest,
  StatusRequest,
  StatusResponseInput,
  UsageRecordInput,
} from './generated/control.ts';
import type { ReturnRequest, SolveRequest as GatewaySolveRequest } from './generated/gateway.ts';
import { refuseUnserved } from './refuse-unserved.ts';
import { toRpcError } from './rpc-error.ts';
import type { Solve, Solves } from './solves.ts';
import { pruneAskedOf, statusOf, usageRecordOf } from './status-of.ts';
import type { BuildSession, SolveProgress, Solver } from './types.ts';
import { BUILDKIT_VERSION, describeWorker, FRONTEND_CAPABILITIES } from './worker.ts';

/** What the services of one connection work with. */
export interface ServiceParts {
  readonly solver: Solver;
  readonly solves: Solves;
  /** Waits a moment for a session that its client is opening at the same time. */
  awaitSession(id: string): Promise<BuildSession>;
  readonly reportFailure: (error: unknown) => void;
}

const FRONTEND = 'dockerfile.v0';
/** By which a client's calls to the gateway name the build they belong to. */
const BUILD_ID = 'buildkit-controlapi-buildid';

type Unary = (
  call: ServerUnaryCall<unknown, unknown>,
  callback: (error: object | null, answer?: object) => void,
) => void;

function reportError({ solver, reportFailure }: ServiceParts, error: unknown): void {
  if (error instanceof EngineError) solver.onRefused(error);
  else reportFailure(error);
}

function unary(
  parts: ServiceParts,
  answer: (request: never, call: ServerUnaryCall<unknown, unknown>) => Promise<object>,
): Unary {
  return (call, callback) => {
    answer(call.request as never, call).then(
      (value) => {
        callback(null, value);
      },
      (error: unknown) => {
        reportError(parts, error);
        callback(toRpcError(error));
      },
    );
  };
}

function cancellation(call: ServerUnaryCall<unknown, unknown>): AbortSignal {
  const aborter = new AbortController();
  call.on('cancelled', () => {
    aborter.abort();
  });
  return aborter.signal;
}

interface SolveCall {
  readonly ref: string;
  readonly asked: ControlSolveRequest;
  readonly frontend: string;
  readonly options: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

async function runSolve(parts: ServiceParts, call: SolveCall): Promise<Readonly<Record<string, string>>> {
  const { ref, asked, frontend, options, signal } = call;
  if (frontend !== FRONTEND)
    throw new EngineError(
      'NotImplemented',
      `frontend ${JSON.stringify(frontend)} is not supported, only ${FRONTEND}: DOCKER_BUILDKIT=0 builds without one`,
    );
  const solve = parts.solves.get(ref);
  // Who has given up a build may leave its status unread.
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve();
    });
  });
  if (asked.Exporters.length > 1)
    throw new EngineError(
      'NotImplemented',
      'several outputs of one build are not supported: build once for each',
    );
  const exporter = asked.Exporters[0] ?? { Type: asked.Exporter, Attrs: asked.ExporterAttrs };
  return parts.solver.solve(
    {
      ref,
      frontend,
      options,
      exporter: exporter.Type,
      exporterOptions: exporter.Attrs,
      entitlements: asked.Entitlements,
      signal,
      session: await parts.awaitSession(asked.Session),
    },
    (progress) => Promise.race([parts.solves.tell(solve, progress), left]),
  );
}

/** `Control.Solve`: builds, or, where the client drives the build through the gateway, waits for its return. */
async function solve(
  parts: ServiceParts,
  asked: ControlSolveRequest,
  signal: AbortSignal,
): Promise<{ ExporterResponse: Readonly<Record<string, string>> }> {
  const { Ref: ref } = asked;
  refuseUnserved(asked);
  const current = parts.solves.get(ref);
  current.asked.resolve(asked);
  signal.addEventListener('abort', () => {
    current.answer.reject(new EngineError('Cancelled', 'cancelled'));
  });
  try {
    if (asked.Frontend === '') return { ExporterResponse: await current.answer.promise };
    const call = { ref, asked, frontend: asked.Frontend, options: asked.FrontendAttrs, signal };
    const answer = await runSolve(parts, call);
    current.answer.resolve(answer);
    return { ExporterResponse: answer };
  } catch (error) {
    current.answer.reject(error);
    throw error;
  } finally {
    parts.solves.end(ref);
  }
}

function status(parts: ServiceParts, call: ServerWritableStream<StatusRequest, StatusResponseInput>): void {
  const current = parts.solves.get(call.request.Ref);
  const gone = new Promise<void>((resolve) => {
    call.once('cancelled', resolve);
    call.once('close', resolve);
  });
  const write = async (progress: SolveProgress): Promise<void> => {
    if (call.cancelled || call.write(statusOf(progress))) return;
    await Promise.race([new Promise<void>((resolve) => call.once('drain', resolve)), gone]);
  };
  let last = Promise.resolve();
  const send = (progress: SolveProgress): Promise<void> => (last = last.then(() => write(progress)));
  for (const progress of current.told) void send(progress);
  current.listeners.add(send);
  const end = (): void => {
    current.listeners.delete(send);
    void last.then(() => call.end());
  };
  void gone.then(end);
  current.answer.promise.then(end, end);
}

/** BuildKit's `Control` service. */
export function controlService(parts: ServiceParts): UntypedServiceImplementation {
  return {
    Solve: unary(parts, (asked: ControlSolveRequest, call) => solve(parts, asked, cancellation(call))),
    Status: (call: ServerWritableStream<StatusRequest, StatusResponseInput>) => {
      try {
        status(parts, call);
      } catch (error) {
        reportError(parts, error);
        call.emit('error', toRpcError(error));
      }
    },
    ListWorkers: unary(parts, () => Promise.resolve({ record: [describeWorker(parts.solver.hostGateway)] })),
    Info: unary(parts, () => Promise.resolve({ buildkitVersion: BUILDKIT_VERSION })),
    DiskUsage: unary(parts, async ({ filter }: DiskUsageRequest) => {
      const entries = await parts.solver.listUsage(filter);
      return { record: entries.map(usageRecordOf) };
    }),
    Prune: (call: ServerWritableStream<PruneRequest, UsageRecordInput>) => {
      parts.solver.prune(pruneAskedOf(call.request)).then(
        (entries) => {
          for (const entry of entries) call.write(usageRecordOf(entry));
          call.end();
        },
        (error: unknown) => {
          reportError(parts, error);
          call.emit('error', toRpcError(error));
        },
      );
    },
    ListenBuildHistory: (call: ServerWritableStream<unknown, unknown>) => {
      call.end();
    },
  };
}

async function gatewaySolve(
  parts: ServiceParts,
  request: GatewaySolveRequest,
  call: ServerUnaryCall<unknown, unknown>,
): Promise<object> {
  if (request.Definition || Object.keys(request.FrontendInputs).length > 0)
    throw new EngineError(
      'NotImplemented',
      `a build of the client's own definition (LLB) is not supported, only ${FRONTEND}`,
    );
  // Clients try with nothing what a server can do before they ask for the build.
  if (request.Frontend === '') return { result: { ref: { id: '' } } };
  const ref = buildIdOf(call);
  const current: Solve = parts.solves.get(ref);
  const signal = cancellation(call);
  const asked = await current.asked.promise;
  const options = request.FrontendOpt;
  const answer = await runSolve(parts, { ref, asked, frontend: request.Frontend, options, signal });
  current.result = answer;
  return { result: { ref: { id: ref } } };
}

function buildIdOf(call: ServerUnaryCall<unknown, unknown>): string {
  const [id] = call.metadata.get(BUILD_ID);
  if (typeof id !== 'string')
    throw new EngineError('InvalidArgument', `no ${BUILD_ID} in the call's metadata`);
  return id;
}

function returned(
  parts: ServiceParts,
  request: ReturnRequest,
  call: ServerUnaryCall<unknown, unknown>,
): object {
  const current = parts.solves.get(buildIdOf(call));
  if (request.error) current.answer.reject(new EngineError('Internal', request.error.message));
  else current.answer.resolve(current.result ?? {});
  return {};
}

/** BuildKit's `LLBBridge` service: a client that drives its build itself asks for the parts of it here. */
export function gatewayService(parts: ServiceParts): UntypedServiceImplementation {
  return {
    Ping: unary(parts, () =>
      Promise.resolve({
        FrontendAPICaps: FRONTEND_CAPABILITIES.map((ID) => ({ ID, Enabled: true })),
        LLBCaps: [],
        Workers: [describeWorker(parts.solver.hostGateway)],
      }),
    ),
    Solve: unary(parts, (request: GatewaySolveRequest, call) => gatewaySolve(parts, request, call)),
    Return: unary(parts, (request: ReturnRequest, call) => Promise.resolve(returned(parts, request, call))),
    Warn: unary(parts, () => Promise.resolve({})),
    Evaluate: unary(parts, () => Promise.resolve({})),
    Inputs: unary(parts, () => Promise.resolve({})),
  };
}
