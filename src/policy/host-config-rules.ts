import type { HostConfig } from '../wire/host-config.ts';
import type { RuleTable } from './rule.ts';
import { cpuRules } from './rules/cpu-rules.ts';
import { lifecycleRules } from './rules/lifecycle-rules.ts';
import { limitRules } from './rules/limit-rules.ts';
import { memoryRules } from './rules/memory-rules.ts';
import { mountRules } from './rules/mount-rules.ts';
import { namespaceRules } from './rules/namespace-rules.ts';
import { networkRules } from './rules/network-rules.ts';
import { securityRules } from './rules/security-rules.ts';

/** The gate's table: one row for every field of HostConfig that is decoded; a field without a row does not compile. */
export const HOST_CONFIG_RULES: RuleTable<HostConfig> = {
  ...securityRules,
  ...namespaceRules,
  ...mountRules,
  ...memoryRules,
  ...cpuRules,
  ...limitRules,
  ...networkRules,
  ...lifecycleRules,
};
