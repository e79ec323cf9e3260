// Writes docs/policy.md from the gate's tables: tsx scripts/generate-policy-doc.ts
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { BUILD_RULES } from '../src/policy/build-rules.ts';
import { CONTAINER_CONFIG_RULES } from '../src/policy/container-config-rules.ts';
import { ENDPOINT_RULES } from '../src/policy/endpoint-rules.ts';
import { EXEC_RULES, EXEC_START_RULES } from '../src/policy/exec-rules.ts';
import { FEATURES } from '../src/policy/features.ts';
import { HOST_CONFIG_RULES } from '../src/policy/host-config-rules.ts';
import { LEFT_OUT_FIELDS } from '../src/policy/left-out-fields.ts';
import { LOGIN_RULES } from '../src/policy/login-rules.ts';
import { CONNECT_RULES, DISCONNECT_RULES } from '../src/policy/membership-rules.ts';
import { NETWORK_CREATE_RULES } from '../src/policy/network-create-rules.ts';
import { PARAMETER_RULES } from '../src/policy/parameter-rules.ts';
import type { Rule } from '../src/policy/rule.ts';
import { VOLUME_RULES } from '../src/policy/volume-rules.ts';

type Row = Pick<Rule<never>, 'verdict' | 'reason' | 'safer' | 'opensWithSetting'>;

/** Where the generated document is kept. */
export const POLICY_DOC = resolve(import.meta.dirname, '../docs/policy.md');

const INTRODUCTION = `# What a request may ask for

Everything that a client sends is read once into a closed set of fields. Each field has one row in the tables
below; the rows decide, and nothing that has no row gets past them. This page is generated from the tables that
run (\`scripts/generate-policy-doc.ts\`); a test compares it with them.

| verdict | meaning |
| --- | --- |
| free | taken as it is |
| bad | a malformed value is refused with 400 |
| constrain | taken, with its effect kept inside the job |
| warn | taken and not carried out; the answer's \`Warnings\` say so |
| deny | what leaves the container's confinement is refused with 403 |

A denial marked "setting" is lifted by \`[dind] allow_privileged = true\`, and that of privileges, capabilities, devices
and security options also for single images, by a list of rules. When the key is absent it counts as true
on macOS and Windows hosts, whose containers live in a virtual machine, and as false on Linux. The others have no
setting that lifts them. Names are case-sensitive; a name that differs from a known one in case only is refused,
and so is an unknown name that sounds as if it widened rights. Other unknown names are answered with a warning.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function table(title: string, rules: Readonly<Record<string, Row>>): string {
  const rows = Object.entries(rules)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([field, rule]) => {
      const verdict = rule.opensWithSetting === true ? `${rule.verdict} (setting)` : rule.verdict;
      const safer = rule.safer === undefined ? '' : ` Safer: ${rule.safer}.`;
      return `| \`${field}\` | ${verdict} | ${cell(`${rule.reason}.${safer}`)} |`;
    });
  return [`## ${title}`, '', '| field | verdict | why |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function parameters(): string {
  const rows = Object.entries(PARAMETER_RULES).flatMap(
    ([endpoint, rules]: [string, Readonly<Record<string, Row>>]) =>
      Object.entries(rules).map(([name, { verdict, reason, safer }]) => {
        const instead = safer === undefined ? '' : ` Safer: ${safer}.`;
        return `| ${endpoint} | \`${name}\` | ${verdict} | ${cell(`${reason}.${instead}`)} |`;
      }),
  );
  return [
    '## Parameters of queries',
    '',
    'Where an endpoint is not in the table it has none; a parameter that is not is not read.',
    '',
    '| of | parameter | verdict | why |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function features(): string {
  const rows = Object.entries(FEATURES).map(
    ([name, isSupported]) => `| ${name} | ${isSupported ? 'yes' : 'no'} |`,
  );
  return [
    '## Parts of the API that are carried out',
    '',
    'What is not is refused by name with 501; it is never left out in silence.',
    '',
    '| part | carried out |',
    '| --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function leftOut(): string {
  const rows = Object.entries(LEFT_OUT_FIELDS).flatMap(([kind, fields]) =>
    Object.entries(fields).map(([name, reason]) => `| ${kind} | \`${name}\` | ${cell(reason)}. |`),
  );
  return [
    '## What is not decoded',
    '',
    "Every other field and parameter of Docker's API, version 1.24 to 1.56, is; a test holds both lists against its",
    'descriptions.',
    '',
    '| of | name | why |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** The document's text, formatted as the repository's other documents are. */
export async function renderPolicyDoc(): Promise<string> {
  const text = [
    INTRODUCTION,
    table('`HostConfig` of create', HOST_CONFIG_RULES),
    table('`Config` of create', CONTAINER_CONFIG_RULES),
    table(
      '`NetworkingConfig.EndpointsConfig` of create, and `EndpointConfig` of network connect',
      ENDPOINT_RULES,
    ),
    table('exec', EXEC_RULES),
    table('exec start', EXEC_START_RULES),
    table('build', BUILD_RULES),
    table('volume create', VOLUME_RULES),
    table('network create', NETWORK_CREATE_RULES),
    table('network connect', CONNECT_RULES),
    table('network disconnect', DISCONNECT_RULES),
    table('login', LOGIN_RULES),
    '## Elsewhere\n\nAn update goes through the rows of `HostConfig`, and the configuration in the body of a commit through those of `Config`.\n',
    parameters(),
    leftOut(),
    features(),
  ].join('\n');
  return format(text, { ...(await resolveConfig(POLICY_DOC)), filepath: POLICY_DOC });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(POLICY_DOC, await renderPolicyDoc());
}
