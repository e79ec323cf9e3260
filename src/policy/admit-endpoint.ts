import type { EndpointSettings } from '../wire/networking-config.ts';
import { ENDPOINT_RULES } from './endpoint-rules.ts';
import type { GateContext } from './gate-context.ts';
import { judge, settle } from './judge.ts';

/** The gate of `network connect`: throws for settings that create would refuse too. */
export function admitEndpoint(settings: EndpointSettings, gate: GateContext): void {
  settle(judge(settings, { rules: ENDPOINT_RULES, prefix: 'EndpointConfig.' }, undefined), gate);
}
