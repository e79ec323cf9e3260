import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const POLICY = import.meta.dirname;
/** What every text is checked against is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Compiles texts, each as if it were a file of this folder, under the project's own options; answers the errors of each. */
function compile(...texts: readonly string[]): readonly (readonly string[])[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    resolve(POLICY, '../../tsconfig.json'),
    { incremental: false, types: [] },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  if (!config) {
    throw new Error('tsconfig.json cannot be read');
  }
  const fixtures = new Map(
    texts.map((text, index) => [resolve(POLICY, `type-lock-fixture-${String(index)}.ts`), text]),
  );
  const host = ts.createCompilerHost(config.options);
  host.readFile = (path) => fixtures.get(resolve(path)) ?? ts.sys.readFile(path);
  host.fileExists = (path) => fixtures.has(resolve(path)) || ts.sys.fileExists(path);
  host.getSourceFile = (path, version) => {
    const known = parsed.get(path);
    if (known) return known;
    const content = host.readFile(path);
    const source = content === undefined ? undefined : ts.createSourceFile(path, content, version);
    if (!fixtures.has(resolve(path))) parsed.set(path, source);
    return source;
  };
  const program = ts.createProgram([...fixtures.keys()], config.options, host);
  return [...fixtures.keys()].map((path) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  );
}

const TABLE = `
import { HOST_CONFIG_RULES } from './host-config-rules.ts';
import { EXEC_RULES } from './exec-rules.ts';
import type { RuleTable } from './rule.ts';
import type { HostConfig } from '../wire/host-config.ts';
import type { ExecRequest } from '../wire/exec-request.ts';
`;
const PARAMETERS = `
import { PARAMETER_RULES } from './parameter-rules.ts';
import { VOLUME_RULES } from './volume-rules.ts';
import type { ParameterTable, ParameterTables } from './parameter-rule.ts';
import type { RuleTable } from './rule.ts';
import type { RouteContextOf, RouteDefinition } from '../api/http/route.ts';
import type { EndpointName, EndpointParameters } from '../wire/endpoint-parameters.ts';
import type { VolumeCreateRequest } from '../wire/volume.ts';
type Row = ParameterTables<EndpointName>['container kill']['signal'];
export type Seen = [typeof PARAMETER_RULES, typeof VOLUME_RULES, ParameterTable<'commit'>, ParameterTables<EndpointName>,
  RuleTable<object>, RouteContextOf<'commit'>, RouteDefinition, EndpointParameters, VolumeCreateRequest, Row];
export declare const shared: { readonly method: 'POST'; readonly path: '/x'; readonly body: 'none' };
`;
/** The bodies besides a create's own settings and an exec's: what is decoded of each, and the table that judges it. */
const BODIES: readonly (readonly [table: string, file: string, type: string, wire: string])[] = [
  ['CONTAINER_CONFIG_RULES', 'container-config-rules', 'ContainerConfig', 'container-config'],
  ['HOST_CONFIG_RULES', 'host-config-rules', 'Resources', 'host-config'],
  ['NETWORK_CREATE_RULES', 'network-create-rules', 'NetworkCreateRequest', 'network'],
  ['CONNECT_RULES', 'membership-rules', 'NetworkConnectRequest', 'network'],
  ['DISCONNECT_RULES', 'membership-rules', 'NetworkDisconnectRequest', 'network'],
  ['ENDPOINT_RULES', 'endpoint-rules', 'EndpointSettings', 'networking-config'],
  ['VOLUME_RULES', 'volume-rules', 'VolumeCreateRequest', 'volume'],
  ['LOGIN_RULES', 'login-rules', 'LoginRequest', 'login-request'],
  ['BUILD_RULES', 'build-rules', 'BuildRequest', 'build-request'],
];
const ADMITTED = `
import { buildSpec, type SpecInput } from '../oci/build-spec.ts';
import type { admitCreate, CheckedCreate } from './privileged-gate.ts';
import type { CreateRequest } from '../wire/create-request.ts';
export declare const rest: Omit<SpecInput, 'admitted'>;
export declare const request: CreateRequest;
export declare const checked: CheckedCreate;
export declare const admitted: ReturnType<typeof admitCreate>['admitted'];
`;

describe('what must not compile', { timeout: 60_000 }, () => {
  it('a decoded field without a row, while the present ones do', () => {
    const [present, missing] = compile(
      `${TABLE}
      export const create: RuleTable<HostConfig> = HOST_CONFIG_RULES;
      export const exec: RuleTable<ExecRequest, object> = EXEC_RULES;`,
      `${TABLE}
      export const create: RuleTable<HostConfig & { readonly NewField: string }> = HOST_CONFIG_RULES;
      export const optional: RuleTable<HostConfig & { readonly OtherField?: string }> = HOST_CONFIG_RULES;
      export const exec: RuleTable<ExecRequest & { readonly thirdField: string }, object> = EXEC_RULES;`,
    );
    expect(present).toEqual([]);
    expect(missing).toEqual([
      expect.stringContaining('NewField'),
      expect.stringContaining('OtherField'),
      expect.stringContaining('thirdField'),
    ]);
  });

  it('a decoded field of any other body without a row', () => {
    const texts = BODIES.map(
      ([table, file, type, wire]) => `
      import { ${table} } from './${file}.ts';
      import type { ${type} } from '../wire/${wire}.ts';
      type Covered<T> = { readonly [K in keyof T]-?: unknown };
      export const rows: Covered<${type}> = ${table};
      export const table: Covered<${type} & { readonly newField?: string }> = ${table};`,
    );
    for (const [index, errors] of compile(...texts).entries())
      expect(errors, BODIES[index]?.[0]).toEqual([expect.stringMatching(/'newField' is missing/)]);
  });

  it('a parameter without a row, nor a handler that reads what its table has not', () => {
    const broken = [
      `export const kill: ParameterTable<'container kill'> & Record<EndpointParameters['container kill'] | 'force', Row> =
        PARAMETER_RULES['container kill'];`,
      `export const volume: RuleTable<VolumeCreateRequest & { readonly more: string }, VolumeCreateRequest> = VOLUME_RULES;`,
      `export const kill: RouteDefinition = { ...shared, parameters: 'container kill',
        handle: async (context) => { context.query.string('force'); } };`,
      `export const none: RouteDefinition = { ...shared, handle: async (context) => { context.query.string('x'); } };`,
      `export const none: RouteDefinition = { ...shared,
        handle: async (context: RouteContextOf<'container kill'>) => { context.query.string('signal'); } };`,
      `export const none: RouteDefinition = { ...shared, parameters: 'no such', handle: async () => undefined };`,
    ];
    const [present, ...errors] = compile(
      `${PARAMETERS}
      export const tables: ParameterTables<EndpointName> = PARAMETER_RULES;
      export const volume: RuleTable<VolumeCreateRequest, VolumeCreateRequest> = VOLUME_RULES;
      export const kill: RouteDefinition = { ...shared, parameters: 'container kill',
        handle: async (context) => { context.query.string('signal'); } };
      export const none: RouteDefinition = { ...shared, handle: async (context) => { context.empty(204); } };`,
      ...broken.map((text) => PARAMETERS + text),
    );
    expect(present).toEqual([]);
    expect(errors).toHaveLength(broken.length);
    for (const [index, text] of broken.entries()) expect(errors[index], text).toHaveLength(1);
  });

  it('a spec of a request that has not been through the gate, while an admitted one does', () => {
    const forged = [
      'checked',
      '{ ...admitted, hostConfig: request.hostConfig }',
      'Object.assign({}, checked, { admitted: true as const })',
    ];
    const [present, plain, ...errors] = compile(
      `${ADMITTED} buildSpec({ ...rest, admitted });`,
      `${ADMITTED} buildSpec({ ...rest, admitted: request });`,
      ...forged.map((text) => `${ADMITTED} buildSpec({ ...rest, admitted: ${text} });`),
    );
    expect(present).toEqual([]);
    expect(plain).toHaveLength(1);
    expect(errors).toHaveLength(forged.length);
    for (const [index, text] of forged.entries())
      expect(errors[index], text).toEqual([expect.stringMatching(/AdmittedMark/)]);
  });
});
