import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const stateBan = {
  selector: ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration[kind="let"]',
  message: 'No module-level state.',
};

const syntaxBans = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  {
    selector: 'ImportExpression > Literal[value=/^(?![.]|node:)/]',
    message:
      'In the bundle a CommonJS package imported so has its default export only: import() a file of ours that imports it.',
  },
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that defines it.' },
];

const environmentBan = {
  selector: 'MemberExpression[object.name="process"][property.name="env"]',
  message: 'src/config is the one reader of process.env.',
};

const limits = {
  'max-lines': ['error', 300],
  'max-lines-per-function': ['error', 60],
  '@typescript-eslint/max-params': ['error', { max: 3 }],
  complexity: ['error', 12],
};

const typedRules = {
  '@typescript-eslint/consistent-type-exports': 'error',
  '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
  '@typescript-eslint/no-non-null-assertion': 'error',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
  ],
};

const languageRules = {
  eqeqeq: 'error',
  'no-console': 'error',
  'no-restricted-syntax': ['error', ...syntaxBans, stateBan],
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { regex: '^\\.{1,2}/(.*/)?[^/.]+(\\.js)?$', message: 'Import our files with their .ts extension.' },
      ],
    },
  ],
  'object-shorthand': 'error',
  'prefer-template': 'error',
};

export default defineConfig(
  {
    ignores: [
      'dist/',
      'coverage/',
      'node_modules/',
      '.tmp/',
      'src/containerd/generated/',
      'src/buildkit/generated/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: { ...languageRules, ...limits, ...typedRules },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**', 'src/**/*.test.ts'],
    rules: { 'no-restricted-syntax': ['error', ...syntaxBans, stateBan, environmentBan] },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      // A fake must answer with a promise where the real adapter does, with nothing to wait for.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  // What beforeEach makes is known to a test file by a variable.
  { files: ['**/*.test.ts'], rules: { 'no-restricted-syntax': ['error', ...syntaxBans] } },
  { files: ['scripts/**'], rules: { 'no-console': 'off' } },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs', 'bin/berth'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', module: 'writable' },
    },
  },
  {
    files: ['**/*.cjs', 'bin/berth'],
    languageOptions: { globals: { require: 'readonly', __dirname: 'readonly' } },
  },
  // Tools that load their configuration by its default export.
  { files: ['*.config.js', '*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
);
