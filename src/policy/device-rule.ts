import { bad, quote, unless, type Finding } from './rule.ts';

const RULE = /^[abc] (?:[0-9]{1,5}|\*):(?:[0-9]{1,7}|\*) [rwm]{1,3}$/;

/** dockerd's words for what is no `c 1:3 rwm`. */
export function checkDeviceRule(text: string): readonly Finding[] {
  return unless(RULE.test(text), bad(`invalid device cgroup rule format: ${quote(text)}`));
}
