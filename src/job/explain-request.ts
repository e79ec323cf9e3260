import { decodeBuild } from '../api/build/decode-build.ts';
import { containerConfig } from '../api/containers/decode-container-config.ts';
import { decodeCreate } from '../api/containers/decode-create.ts';
import { decodeExec } from '../api/containers/decode-exec.ts';
import { decodeUpdate } from '../api/containers/decode-update.ts';
import type { ApiVersion } from '../api/http/api-version.ts';
import type { Decoded, Place } from '../api/http/decode.ts';
import { createQuery, type Query } from '../api/http/query.ts';
import { splitTarget } from '../api/http/request-target.ts';
import { compileRoutePath } from '../api/http/route-path.ts';
import type { Route } from '../api/http/route.ts';
import { parseJsonBody } from '../api/http/strict-json.ts';
import { decodeConnect, decodeDisconnect, decodeNetwork } from '../api/networks/decode-network.ts';
import { routes } from '../api/routes.ts';
import { decodeVolume } from '../api/volumes/decode-volume.ts';
import type { Explanation, FieldVerdict } from '../engine/containers/explain-create.ts';
import { EngineError } from '../errors.ts';
import { admitParameters } from '../policy/admit-parameters.ts';
import {
  admitCommit,
  admitConnect,
  admitDisconnect,
  admitNetwork,
  admitVolume,
} from '../policy/admit-requests.ts';
import type { Decision } from '../policy/decision.ts';
import type { GateContext } from '../policy/gate-context.ts';
import { admitBuild, admitExec, admitUpdate } from '../policy/privileged-gate.ts';

/** A request that makes no container, as its client wrote it. */
export interface PlainRequest {
  readonly method: string;
  /** The path without a version, and the query. */
  readonly target: string;
  readonly body: Uint8Array;
  readonly apiVersion: ApiVersion;
}

interface Asked extends PlainRequest {
  readonly query: Query<string>;
}

/** What a body's gate says: warnings, and the members that nobody knows. */
interface Told {
  readonly warnings: readonly string[];
  readonly ignored: readonly string[];
}

type Door = (asked: Asked, gate: GateContext) => Told;

function door<T>(
  decode: (asked: Asked) => Decoded<T>,
  admit: (request: T, gate: GateContext) => readonly string[],
): Door {
  return (asked, gate) => {
    const { request, ignored } = decode(asked);
    return { warnings: admit(request, gate), ignored };
  };
}

/** The doors that a body goes through, by their routes; others have parameters at most. */
const DOORS: Readonly<Record<string, Door>> = {
  'POST /volumes/create': door(({ body }) => decodeVolume(body), admitVolume),
  'POST /networks/create': door(({ body }) => decodeNetwork(body), admitNetwork),
  'POST /networks/:id/connect': door(({ body }) => decodeConnect(body), admitConnect),
  'POST /networks/:id/disconnect': door(({ body }) => decodeDisconnect(body), admitDisconnect),
  'POST /containers/:id/exec': door(
    ({ body, apiVersion }) => decodeExec(body, apiVersion),
    (request, gate) => admitExec(request, gate).warnings,
  ),
  'POST /containers/:id/update': door(
    ({ body, apiVersion }) => decodeUpdate(body, apiVersion),
    (request, gate) => admitUpdate(plainContainer(), request, gate).warnings,
  ),
  'POST /build': door(
    ({ query, apiVersion }) => ({ request: decodeBuild(query, apiVersion), ignored: [] }),
    (request, gate) => admitBuild(request, gate).warnings,
  ),
  'POST /commit': (asked, gate) => {
    const document = asked.body.length === 0 ? null : parseJsonBody(asked.body);
    if (document === null) return { warnings: [], ignored: [] };
    const place: Place = { struct: 'Config', path: '', ignored: [] };
    return { warnings: admitCommit(containerConfig(document, place), gate), ignored: place.ignored };
  },
};

/** Stands for the container of an update: what it is does not change what an update may ask for. */
function plainContainer(): ReturnType<typeof decodeCreate>['request'] {
  return decodeCreate(Buffer.from('{"Image":"(image)"}'), '1.51').request;
}

/** The gate's verdict on a request that makes no container: its query, then its body. Makes nothing, and asks nobody. */
export function explainRequest(request: PlainRequest, gate: GateContext): Explanation {
  const { path, search } = splitTarget(request.target);
  const asked: Asked = { ...request, query: createQuery(search) };
  const route = routeOf(request.method, path);
  const decisions: Decision[] = [];
  const watched = { ...gate, onDecision: (decision: Decision) => void decisions.push(decision) };
  try {
    if (route.parameters !== undefined) admitParameters(route.parameters, asked.query.list, () => watched);
    const { warnings, ignored } = DOORS[`${route.method} ${route.path}`]?.(asked, watched) ?? NOTHING;
    const unknown = ignored.map((field): FieldVerdict => ({
      verdict: 'ignored',
      field,
      reason: 'no field of this API',
    }));
    return { admitted: true, fields: [...decisions, ...unknown], warnings, notes: NOTES };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const refusal = { kind: error.kind, message: error.message };
    return { admitted: false, refusal, fields: decisions, warnings: [], notes: NOTES };
  }
}

const NOTHING: Told = { warnings: [], ignored: [] };
const NOTES: readonly string[] = [
  'Only what the gate decides is shown: whether what is named exists was not looked at.',
];

function routeOf(method: string, path: string): Route {
  const route = routes.find((one) => one.method === method && compileRoutePath(one.path).test(path));
  if (route) return route;
  throw new EngineError('NotFound', `no such endpoint: ${method} ${path.slice(0, 200)}`);
}
