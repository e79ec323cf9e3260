import { GateRefusal } from '../../policy/gate-refusal.ts';
import type { Decision } from '../../policy/decision.ts';
import {
  closedBy,
  type Endpoint,
  type EndpointPermissions,
  type EndpointSwitch,
} from '../../policy/endpoint-permissions.ts';
import type { Job } from '../job.ts';

/** Throws PermissionDenied, with the name of the switch, for an endpoint that the operator has closed. */
export function requireEndpoint(job: Job, endpoint: Endpoint): void {
  const closed = explainEndpoint(endpoint, job.settings.api);
  if (!closed) return;
  job.audit.record({ verb: `${endpoint.method} ${pathOf(endpoint)}`, ...closed.decision });
  throw closed.error;
}

/** The refusal of an endpoint that the operator has closed; undefined of an open one. */
export function explainEndpoint(
  endpoint: Endpoint,
  api: EndpointPermissions,
): { readonly decision: Omit<Decision, 'field'>; readonly error: GateRefusal } | undefined {
  const switches = closedBy(endpoint, api);
  if (switches === undefined) return undefined;
  const shown = switches.map((name) => name.toUpperCase()).join(' or ');
  const profile = `profile "${api.profile}"`;
  const verb = `${endpoint.method} ${pathOf(endpoint)}`;
  const setting = switches.map((name) => `api.${name}`).join(' or ');
  return {
    decision: { verdict: 'refused', reason: `closed by ${shown}`, setting },
    error: new GateRefusal(
      'PermissionDenied',
      `${verb} is closed by ${shown} (${profile}). ` +
        `Set ${switches.map(settingOf).join(' or ')} in the host's configuration to open it.`,
    ),
  };
}

function settingOf(name: EndpointSwitch): string {
  return `api.${name} = true`;
}

function pathOf({ path }: Endpoint): string {
  return path.replaceAll(/:(\w+)\*?/g, '{$1}');
}
