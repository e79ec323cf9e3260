import { resolveApiVersion, isAtLeast, type ApiVersion } from '../api/http/api-version.ts';
import { createQuery } from '../api/http/query.ts';
import { splitTarget } from '../api/http/request-target.ts';
import { createRouteTable, type FoundRoute } from '../api/http/route-table.ts';
import { routes } from '../api/routes.ts';
import type { Explanation, FieldVerdict } from '../engine/containers/explain-create.ts';
import { checkImageNames } from '../engine/images/save-images.ts';
import { explainEndpoint } from '../engine/system/require-endpoint.ts';
import { EngineError, ShapeError } from '../errors.ts';
import { admitParameters } from '../policy/admit-parameters.ts';
import type { Decision } from '../policy/decision.ts';
import type { EndpointPermissions } from '../policy/endpoint-permissions.ts';
import type { GateContext } from '../policy/gate-context.ts';
import type { ParameterRule } from '../policy/parameter-rule.ts';
import { PARAMETER_RULES } from '../policy/parameter-rules.ts';
import { BODY_DOORS, type Asked, type Told } from './body-doors.ts';
import { VALUE_FORMS } from './value-forms.ts';

/** A request that makes no container, as its client wrote it. */
export interface PlainRequest {
  readonly method: string;
  /** The path without a version, and the query. */
  readonly target: string;
  readonly body: Uint8Array;
  readonly apiVersion: ApiVersion;
}

/** What a request is judged by. */
export interface Judges {
  readonly gate: GateContext;
  readonly permissions: EndpointPermissions;
}

/** A reading that may refuse, and the field that it is about. */
export interface Reading {
  readonly field: string;
  readonly read: () => unknown;
}

/** What of a request was refused. */
interface Refusals {
  readonly refusal?: NonNullable<Explanation['refusal']>;
  readonly fields: readonly FieldVerdict[];
}

const NOTHING: Told = { warnings: [], ignored: [] };
const findRoute = createRouteTable(routes);
const NOTES: readonly string[] = [
  'Only what the request says is judged: whether what it names exists was not looked at.',
];

/**
 * The verdict on a request that makes no container: its endpoint, its query, its body, and every value by the reader
 * that would serve it. Makes nothing, and asks nobody.
 */
export function explainRequest(request: PlainRequest, { gate, permissions }: Judges): Explanation {
  const decisions: Decision[] = [];
  const watched = { ...gate, onDecision: (decision: Decision) => void decisions.push(decision) };
  try {
    const { path, search } = splitTarget(request.target);
    const found = routeOf(request, path);
    requireServed(found, permissions, decisions);
    const judged = judgeValues(found, { ...request, query: createQuery(search) }, watched);
    return { ...judged, fields: [...decisions, ...judged.fields], notes: NOTES };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const refusal = { kind: error.kind, message: error.message };
    return { admitted: false, refusal, fields: decisions, warnings: [], notes: NOTES };
  }
}

/** The gate of the query and of the body, then the readers of what both leave to them. */
function judgeValues(found: FoundRoute, asked: Asked, gate: GateContext): Omit<Explanation, 'notes'> {
  const { route, params } = found;
  if (route.parameters !== undefined) admitParameters(route.parameters, asked.query.list, () => gate);
  const told = BODY_DOORS[`${route.method} ${route.path}`]?.(asked, gate) ?? NOTHING;
  const { refusal, fields } = readAll([
    ...pathReadings(found),
    ...queryReadings(found, asked, params['name']),
    ...(told.readings ?? []),
  ]);
  const unknown = told.ignored.map((field): FieldVerdict => ({
    verdict: 'ignored',
    field,
    reason: 'no field of this API',
  }));
  return {
    admitted: refusal === undefined,
    ...(refusal ? { refusal } : {}),
    fields: [...fields, ...unknown],
    warnings: refusal ? [] : told.warnings,
  };
}

/** Runs all readings; the first refusal is the request's, and each is shown once. */
function readAll(readings: readonly Reading[]): Refusals {
  const refused = new Map<string, FieldVerdict>();
  let refusal: Refusals['refusal'];
  for (const { field, read } of readings)
    try {
      read();
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const reason = error instanceof ShapeError ? error.reason : error.message;
      refusal ??= { kind: error.kind, message: error.message };
      if (!refused.has(error.message)) refused.set(error.message, { verdict: 'refused', field, reason });
    }
  return { ...(refusal ? { refusal } : {}), fields: [...refused.values()] };
}

/** The readings of a query's values: those of the rows of its endpoint that have a form. */
function queryReadings(
  { route: { parameters: endpoint } }: Pick<FoundRoute, 'route'>,
  { query, apiVersion }: Pick<Asked, 'query' | 'apiVersion'>,
  name = '',
): readonly Reading[] {
  if (endpoint === undefined) return [];
  const rows: Readonly<Record<string, ParameterRule>> = PARAMETER_RULES[endpoint];
  return Object.entries(rows).flatMap(([parameter, { form }]): readonly Reading[] =>
    form === undefined
      ? []
      : [
          {
            field: `query ${parameter}`,
            read: () => {
              VALUE_FORMS[form]({ endpoint, query, apiVersion, name }, parameter);
            },
          },
        ],
  );
}

function pathReadings({ route, params }: FoundRoute): readonly Reading[] {
  const { name } = params;
  if (name === undefined || !/^\/(?:images|distribution)\//.test(route.path)) return [];
  return [
    {
      field: 'path name',
      read: () => {
        checkImageNames([name]);
      },
    },
  ];
}

function routeOf({ method, apiVersion }: PlainRequest, path: string): FoundRoute {
  const found = findRoute(method, path);
  const since = found?.route.minApiVersion;
  if (found && (since === undefined || isAtLeast(resolveApiVersion(apiVersion), since))) return found;
  throw new EngineError('NotFound', `no such endpoint: ${method} ${path.slice(0, 200)}`);
}

function requireServed(
  { route, params }: FoundRoute,
  permissions: EndpointPermissions,
  decisions: Decision[],
): void {
  const closed = explainEndpoint(route, permissions);
  if (closed) {
    decisions.push({ field: 'endpoint', ...closed.decision });
    throw closed.error;
  }
  const refusal = route.refusal?.(params);
  if (refusal) throw refusal;
}
