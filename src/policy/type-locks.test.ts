import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const POLICY = import.meta.dirname;
const FIXTURE = resolve(POLICY, 'type-lock-fixture.ts');

/** Compiles a text as if it were a file of this folder, under the project's own options; answers its errors. */
function compile(text: string): readonly string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    resolve(POLICY, '../../tsconfig.json'),
    { incremental: false, types: [] },
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => undefined },
  );
  if (!config) {
    throw new Error('tsconfig.json cannot be read');
  }
  const host = ts.createCompilerHost(config.options);
  host.readFile = (path) => (resolve(path) === FIXTURE ? text : ts.sys.readFile(path));
  host.fileExists = (path) => resolve(path) === FIXTURE || ts.sys.fileExists(path);
  host.getSourceFile = (path, version) => {
    const content = host.readFile(path);
    return content === undefined ? undefined : ts.createSourceFile(path, content, version);
  };
  const program = ts.createProgram([FIXTURE], config.options, host);
  const source = program.getSourceFile(FIXTURE);
  return ts
    .getPreEmitDiagnostics(program, source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
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
    expect(
      compile(`${TABLE} 
      export const create: RuleTable<HostConfig> = HOST_CONFIG_RULES;
      export const exec: RuleTable<ExecRequest, object> = EXEC_RULES;`),
    ).toEqual([]);
    const errors = compile(`${TABLE}
      export const create: RuleTable<HostConfig & { readonly NewField: string }> = HOST_CONFIG_RULES;
      export const optional: RuleTable<HostConfig & { readonly OtherField?: string }> = HOST_CONFIG_RULES;
      export const exec: RuleTable<ExecRequest & { readonly thirdField: string }, object> = EXEC_RULES;`);
    expect(errors).toHaveLength(3);
    expect(errors[0]).toContain('NewField');
    expect(errors[1]).toContain('OtherField');
    expect(errors[2]).toContain('thirdField');
  });

  it('a parameter without a row, nor a handler that reads what its table has not', () => {
    expect(
      compile(`${PARAMETERS}
      export const tables: ParameterTables<EndpointName> = PARAMETER_RULES;
      export const volume: RuleTable<VolumeCreateRequest, VolumeCreateRequest> = VOLUME_RULES;
      export const kill: RouteDefinition = { ...shared, parameters: 'container kill',
        handle: async (context) => { context.query.string('signal'); } };
      export const none: RouteDefinition = { ...shared, handle: async (context) => { context.empty(204); } };`),
    ).toEqual([]);
    for (const broken of [
      `export const kill: ParameterTable<'container kill'> & Record<EndpointParameters['container kill'] | 'force', Row> =
        PARAMETER_RULES['container kill'];`,
      `export const volume: RuleTable<VolumeCreateRequest & { readonly more: string }, VolumeCreateRequest> = VOLUME_RULES;`,
      `export const kill: RouteDefinition = { ...shared, parameters: 'container kill',
        handle: async (context) => { context.query.string('force'); } };`,
      `export const none: RouteDefinition = { ...shared, handle: async (context) => { context.query.string('x'); } };`,
      `export const none: RouteDefinition = { ...shared,
        handle: async (context: RouteContextOf<'container kill'>) => { context.query.string('signal'); } };`,
      `export const none: RouteDefinition = { ...shared, parameters: 'no such', handle: async () => undefined };`,
    ])
      expect(compile(PARAMETERS + broken), broken).toHaveLength(1);
  });

  it('a spec of a request that has not been through the gate, while an admitted one does', () => {
    expect(compile(`${ADMITTED} buildSpec({ ...rest, admitted });`)).toEqual([]);
    expect(compile(`${ADMITTED} buildSpec({ ...rest, admitted: request });`)).toHaveLength(1);
    for (const forged of [
      'checked',
      '{ ...admitted, hostConfig: request.hostConfig }',
      'Object.assign({}, checked, { admitted: true as const })',
    ]) {
      expect(compile(`${ADMITTED} buildSpec({ ...rest, admitted: ${forged} });`), forged).toEqual([
        expect.stringMatching(/AdmittedMark/),
      ]);
    }
  });
});
