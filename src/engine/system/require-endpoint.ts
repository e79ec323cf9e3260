import { GateRefusal } from '../../policy/gate-refusal.ts';
import { closedBy, type Endpoint, type EndpointSwitch } from '../../policy/endpoint-permissions.ts';
import type { Job } from '../job.ts';

/** Throws PermissionDenied, with the name of the switch, for an endpoint that the operator has closed. */
export function requireEndpoint(job: Job, endpoint: Endpoint): void {
  const { api } = job.settings;
  const switches = closedBy(endpoint, api);
  if (switches === undefined) return;
  const shown = switches.map((name) => name.toUpperCase()).join(' or ');
  const profile = `profile "${api.profile}"`;
  const verb = `${endpoint.method} ${pathOf(endpoint)}`;
  const setting = switches.map((name) => `api.${name}`).join(' or ');
  job.audit.record({ verb, verdict: 'refused', reason: `closed by ${shown}`, setting });
  throw new GateRefusal(
    'PermissionDenied',
    `${verb} is closed by ${shown} (${profile}). ` +
      `Set ${switches.map(settingOf).join(' or ')} in the host's configuration to open it.`,
  );
}

function settingOf(name: EndpointSwitch): string {
  return `api.${name} = true`;
}

function pathOf({ path }: Endpoint): string {
  return path.replaceAll(/:(\w+)\*?/g, '{$1}');
}
