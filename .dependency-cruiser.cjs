// The import rules of the layers, as data. Every folder lists what it may import as a value, what it may
// import by type only, and which packages it may use; whatever is not listed is forbidden.

const ADAPTERS = [
  'archive',
  'buildkit',
  'containerd',
  'host',
  'logstore',
  'network',
  'registry',
  'rootfs',
  'stdio',
];
const NODE = 'node:';

// One adapter may be handed another's products (a mount, a stream): it names their types, and nothing else of it.
const ADAPTER_CONTRACT = `^src/(${ADAPTERS.join('|')})/types[-a-z]*[.]ts$`;

const ADAPTER_TYPES = ['oci', 'wire', 'logger.ts'];
const ADAPTER_PACKAGES = {
  archive: ['tar-stream'],
  buildkit: ['@grpc/grpc-js', '@grpc/proto-loader'],
  containerd: ['@grpc/grpc-js', 'protobufjs'],
  host: ['koffi'],
  registry: ['smol-toml'],
  rootfs: ['tar-stream'],
};

const LAYERS = {
  api: {
    values: ['engine', 'lib', 'errors.ts'],
    types: ['wire', 'logger.ts'],
    packages: [NODE, 'express', 'ws'],
  },
  engine: {
    values: ['policy', 'oci', 'dockerfile', 'lib', 'errors.ts', 'version.ts'],
    types: [...ADAPTERS, 'state', 'wire', 'config', 'logger.ts'],
    packages: [NODE],
  },
  policy: { values: ['errors.ts'], types: ['wire'], packages: [] },
  dockerfile: { values: ['lib', 'errors.ts'], types: [], packages: [] },
  oci: { values: ['errors.ts'], types: ['policy', 'wire'], packages: [] },
  // A record holds what the adapters handed out for it, so it knows their types.
  state: { values: ['lib', 'errors.ts'], types: [...ADAPTERS, ...ADAPTER_TYPES], packages: [NODE] },
  wire: { values: [], types: [], packages: [] },
  lib: { values: [], types: [], packages: [NODE] },
  // What a setting may say is checked by the code that will decide by it.
  config: {
    values: ['policy', 'lib', 'errors.ts'],
    types: ['policy', 'wire', 'logger.ts'],
    packages: [NODE, 'smol-toml'],
  },
  'errors.ts': { values: [], types: [], packages: [] },
  'version.ts': { values: [], types: [], packages: [] },
  'logger.ts': { values: ['errors.ts'], types: [], packages: [NODE, 'pino'] },
  ...Object.fromEntries(
    ADAPTERS.map((name) => [
      name,
      {
        values: ['host', 'lib', 'errors.ts', 'version.ts'],
        types: ADAPTER_TYPES,
        packages: [NODE, ...(ADAPTER_PACKAGES[name] ?? [])],
      },
    ]),
  ),
};

/** Tests, and what several tests of a folder share. */
const TEST_FILE = '(\\.test|/test-[a-z-]+)\\.ts$';

function escape(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function inSource(names) {
  const parts = names.map((name) => (name.endsWith('.ts') ? `${escape(name)}$` : `${name}/`));
  return `^src/(${parts.join('|')})`;
}

function packageFiles(names) {
  return `^node_modules/(@types/)?(${names.map(escape).join('|')})/`;
}

function layerRules([name, { values, types, packages }]) {
  const from = { path: inSource([name]), pathNot: TEST_FILE };
  const npmNames = packages.filter((one) => one !== NODE);
  const rules = [
    {
      name: `${name}-values`,
      comment: `${name} may import values only from: ${[name, ...values].join(', ')}.`,
      from,
      to: { path: '^src/', pathNot: inSource([name, ...values]), dependencyTypesNot: ['type-only'] },
    },
    {
      name: `${name}-types`,
      comment: `${name} may import types only from: ${[name, ...values, ...types].join(', ')}.`,
      from,
      to: {
        path: '^src/',
        pathNot: [
          inSource([name, ...values, ...types]),
          ...(ADAPTERS.includes(name) ? [ADAPTER_CONTRACT] : []),
        ],
        dependencyTypes: ['type-only'],
      },
    },
    {
      name: `${name}-packages`,
      comment: `${name} may use these packages only: ${npmNames.join(', ') || 'none'}.`,
      from,
      to: { path: '^node_modules/', ...(npmNames.length > 0 ? { pathNot: packageFiles(npmNames) } : {}) },
    },
  ];
  if (!packages.includes(NODE)) {
    rules.push({
      name: `${name}-node`,
      comment: `${name} is pure: not even node: modules.`,
      from,
      to: { dependencyTypes: ['core'] },
    });
  }
  return rules;
}

const GENERAL_RULES = [
  {
    name: 'no-circular',
    comment: 'No cycle among values; types are erased.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  { name: 'no-unresolvable', from: {}, to: { couldNotResolve: true } },
  {
    name: 'only-host-spawns',
    comment: 'src/host alone spawns host programs and calls libc; job and cli may, as composition roots.',
    from: { path: '^src/', pathNot: `${inSource(['host', 'job', 'cli'])}|${TEST_FILE}` },
    to: { path: '^(child_process|node:child_process)$' },
  },
  {
    name: 'source-knows-no-tests',
    from: { path: '^src/', pathNot: TEST_FILE },
    to: { path: `^test/|${TEST_FILE}` },
  },
  {
    name: 'source-uses-no-dev-dependency',
    from: { path: '^src/', pathNot: TEST_FILE },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'every-folder-has-a-layer',
    comment: 'A new folder in src needs its row in LAYERS.',
    from: { path: '^src/', pathNot: inSource([...Object.keys(LAYERS), 'job', 'cli']) },
    to: {},
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...Object.entries(LAYERS).flatMap(layerRules), ...GENERAL_RULES].map((rule) => ({
    severity: 'error',
    ...rule,
  })),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^src/containerd/generated/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
    cache: false,
  },
};
