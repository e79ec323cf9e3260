import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import protobuf from 'protobufjs';

// proto/*.proto → src/containerd/generated, proto/buildkit/*.proto → src/buildkit/generated: one JSON descriptor and one
// TypeScript file of message types for each file that is loaded by itself. Descriptors are made here because parsing
// .proto costs more than the rest of a start.

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

interface ProtoSet {
  /** Directories relative to the root of the project. */
  readonly source: string;
  readonly output: string;
  /** Files that only others import. */
  readonly importedOnly: ReadonlySet<string>;
}

const sets: readonly ProtoSet[] = [
  {
    source: 'proto',
    output: 'src/containerd/generated',
    importedOnly: new Set(['types', 'task-types', 'rpc-status']),
  },
  {
    source: 'proto/buildkit',
    output: 'src/buildkit/generated',
    importedOnly: new Set(['worker', 'caps', 'platform', 'fsutil', 'status', 'timestamp']),
  },
];

const scalarTypes: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  int32: 'number',
  uint32: 'number',
  int64: 'number',
  uint64: 'number',
};

function collectTypes(namespace: protobuf.NamespaceBase): protobuf.Type[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Type) return [nested, ...collectTypes(nested)];
    return nested instanceof protobuf.Namespace ? collectTypes(nested) : [];
  });
}

function collectServices(namespace: protobuf.NamespaceBase): protobuf.Service[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof protobuf.Service) return [nested];
    return nested instanceof protobuf.Namespace ? collectServices(nested) : [];
  });
}

function typeName(type: protobuf.Type): string {
  const name = type.parent instanceof protobuf.Type ? type.parent.name + type.name : type.name;
  return type.fullName.startsWith('.google.') ? `Google${name}` : name;
}

function valueType(field: protobuf.Field, suffix: string): string {
  const resolved = field.resolvedType;
  if (resolved instanceof protobuf.Enum)
    return Object.keys(resolved.values)
      .map((name) => `'${name}'`)
      .join(' | ');
  if (resolved instanceof protobuf.Type) return typeName(resolved) + suffix;
  const scalar = scalarTypes[field.type];
  if (scalar === undefined) throw new Error(`no TypeScript type for ${field.type} (${field.fullName})`);
  return scalar;
}

function fieldType(field: protobuf.Field, suffix: string): string {
  const value = valueType(field, suffix);
  if (field.map) return `Readonly<Record<string, ${value}>>`;
  if (field.repeated) return `readonly (${value})[]`;
  return suffix === '' && field.resolvedType instanceof protobuf.Type ? `${value} | null` : value;
}

// Two shapes of a message: as received (all fields there, absent messages null) and, with the suffix Input, as sent.
function declareMessage(type: protobuf.Type): string {
  const received = type.fieldsArray.map((field) => `readonly ${field.name}: ${fieldType(field, '')};`);
  const sent = type.fieldsArray.map((field) => `readonly ${field.name}?: ${fieldType(field, 'Input')};`);
  if (received.length === 0) {
    return `export type ${typeName(type)} = Readonly<Record<string, never>>;\nexport type ${typeName(type)}Input = ${typeName(type)};`;
  }
  return [
    `export interface ${typeName(type)} { ${received.join('\n')} }`,
    `export interface ${typeName(type)}Input { ${sent.join('\n')} }`,
  ].join('\n\n');
}

function declareService(service: protobuf.Service): string {
  const methods = service.methodsArray.map((method) => {
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (!request || !response) throw new Error(`unresolved types of ${method.fullName}`);
    return `readonly ${method.name}: MethodDefinition<${typeName(request)}Input, ${typeName(response)}>;`;
  });
  return [
    `export const ${service.name.toLowerCase()}ServiceName = '${service.fullName.slice(1)}';`,
    `export interface ${service.name}Methods { ${methods.join('\n')} }`,
  ].join('\n\n');
}

async function write(target: string, text: string, parser: 'json' | 'typescript'): Promise<void> {
  const config = await resolveConfig(target);
  await writeFile(target, await format(text, { ...config, parser }));
}

async function generate(name: string, { source, output }: ProtoSet): Promise<void> {
  const file = path.join(root, source, `${name}.proto`);
  const parsed = new protobuf.Root();
  parsed.resolvePath = (_origin, target) =>
    path.isAbsolute(target) ? target : path.join(root, source, target);
  parsed.loadSync(file);
  parsed.resolveAll();
  const services = collectServices(parsed);
  const header = `// Made by scripts/generate-protos.ts from ${source}/${name}.proto; do not edit.`;
  const imports = services.length > 0 ? "import type { MethodDefinition } from '@grpc/grpc-js';" : '';
  const declarations = [...collectTypes(parsed).map(declareMessage), ...services.map(declareService)];
  const target = path.join(root, output, name);
  await write(`${target}.json`, JSON.stringify(parsed.toJSON()), 'json');
  await write(`${target}.ts`, [header, imports, ...declarations].join('\n\n'), 'typescript');
}

for (const set of sets) {
  const output = path.join(root, set.output);
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  for (const file of (await readdir(path.join(root, set.source))).sort()) {
    const name = file.replace(/\.proto$/, '');
    if (file.endsWith('.proto') && !set.importedOnly.has(name)) await generate(name, set);
  }
}
