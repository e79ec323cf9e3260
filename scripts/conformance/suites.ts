import { readFile } from 'node:fs/promises';

/** How a test ended; those that did not run by their own choice are skipped. */
export type Verdict = 'passed' | 'failed' | 'skipped';

/** A test by its file and its name, with what it failed of. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly verdict: Verdict;
  readonly message: string;
}

/** A client's own tests. */
export interface Suite {
  /** Where it is cloned from unless told otherwise, and at which tag. */
  readonly source: string;
  readonly tag: string;
  /** Installs what it needs into its checkout. */
  readonly prepare: readonly string[];
  /** Images that it takes for granted. */
  readonly images: readonly string[];
  /** The run, which leaves its results in the file `report`; `tests` is a pattern of the suite's own kind. */
  command(run: { readonly report: string; readonly tests: string | undefined }): readonly string[];
  read(report: string): Promise<readonly TestResult[]>;
}

const npm = ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];

/** The suites by name; tags are those of the clients that the tests here use. */
export const SUITES: Readonly<Record<string, Suite>> = {
  'docker-py': {
    source: 'https://github.com/docker/docker-py',
    tag: '5.0.3',
    // Its own warnings are errors to it, and Python has deprecated what it uses.
    prepare: ['sed', '--in-place', '/simplefilter/d', 'tests/integration/conftest.py'],
    images: [],
    command: ({ report, tests }) => [
      ...['env', 'DOCKER_TEST_API_VERSION=1.41'],
      ...[
        '/usr/bin/python3',
        '-m',
        'pytest',
        '-q',
        '-p',
        'no:cacheprovider',
        '--timeout=180',
        `--junitxml=${report}`,
      ],
      ...(tests === undefined ? [] : ['-k', tests]),
      'tests/integration',
    ],
    read: readJunit,
  },
  'testcontainers-node': {
    source: 'https://github.com/testcontainers/testcontainers-node',
    tag: 'v11.14.0',
    prepare: [...npm, '-w', 'packages/testcontainers', '--include-workspace-root'],
    images: [],
    command: ({ report, tests }) => [
      ...[
        'npx',
        'vitest',
        'run',
        '--reporter=json',
        `--outputFile=${report}`,
        '--maxWorkers=2',
        '--maxConcurrency=2',
      ],
      `packages/testcontainers/${tests ?? ''}`,
    ],
    read: readVitest,
  },
  dockerode: {
    source: 'https://github.com/apocas/dockerode',
    tag: 'v5.0.1',
    prepare: npm,
    images: ['ubuntu:latest'],
    command: ({ report, tests }) => [
      ...['npx', 'mocha', '--exit', '--reporter=json', '--reporter-option', `output=${report}`],
      ...(tests === undefined ? [] : ['--grep', tests]),
    ],
    read: readMocha,
  },
};

async function readJunit(report: string): Promise<readonly TestResult[]> {
  const xml = await readFile(report, 'utf8');
  return [
    ...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs),
  ].map(([, place = '', name = '', inside = '']) => {
    const [file = '', group = ''] = place.replace(/^tests\.integration\./, '').split('.');
    const failed = /<(?:failure|error) message="([^"]*)"/.exec(inside);
    const verdict = failed ? 'failed' : inside.includes('<skipped') ? 'skipped' : 'passed';
    return { file, name: `${group} ${name}`, verdict, message: failed?.[1] ?? '' };
  });
}

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

async function readVitest(report: string): Promise<readonly TestResult[]> {
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as VitestReport;
  return testResults.flatMap(({ name: path, message, assertionResults }) => {
    const file = path.replace(/^.*\/packages\/testcontainers\/src\//, '').replace(/\.test\.ts$/, '');
    // A file that does not load has no tests, and must not pass for that.
    if (assertionResults.length === 0)
      return [{ file, name: '(the file)', verdict: 'failed' as const, message }];
    return assertionResults.map(({ fullName, status, failureMessages }) => ({
      file,
      name: fullName,
      verdict:
        status === 'passed'
          ? ('passed' as const)
          : status === 'failed'
            ? ('failed' as const)
            : ('skipped' as const),
      message: failureMessages?.[0] ?? '',
    }));
  });
}

interface MochaTest {
  readonly file: string;
  readonly fullTitle: string;
  readonly err?: { readonly message?: string };
}

async function readMocha(report: string): Promise<readonly TestResult[]> {
  const { passes, failures, pending } = JSON.parse(await readFile(report, 'utf8')) as Readonly<
    Record<'passes' | 'failures' | 'pending', readonly MochaTest[]>
  >;
  const as =
    (verdict: Verdict) =>
    ({ file, fullTitle, err }: MochaTest): TestResult => ({
      file: file.replace(/^.*\//, '').replace(/\.js$/, ''),
      name: fullTitle,
      verdict,
      message: err?.message ?? '',
    });
  return [...passes.map(as('passed')), ...failures.map(as('failed')), ...pending.map(as('skipped'))];
}
