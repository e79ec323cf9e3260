/** One request of a table, sent to both daemons, as it reads in the table. */
export interface Request {
  /** Method and path without version; `{name}` stands for what an earlier answer had, as `keep` says. */
  readonly ask: string;
  /** Versions to ask with, one request for each; `''` is a path without version. */
  readonly versions?: readonly string[];
  /** Becomes the query's `filters`. */
  readonly filters?: unknown;
  readonly json?: unknown;
  /** A body that is sent as it is. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asks for an upgrade, writes this when it is granted, and ends its half. */
  readonly stdin?: string;
  /** Members of the answer that later requests name. */
  readonly keep?: Readonly<Record<string, string>>;
  /** `types` compares which members there are and of what type, for values that two machines never share. */
  readonly values?: 'exact' | 'types';
  /** Lists whose order means nothing: compared sorted. */
  readonly unordered?: boolean;
  /** A list's elements that are the same count once: how often a thing was done again is chance. */
  readonly distinct?: boolean;
  /** Elements of a list with one of these texts are left out of the comparison. */
  readonly without?: readonly string[];
  /** Goes on once the answer has begun, and reads the rest after the last request of the table. */
  readonly later?: boolean;
  /** Tidies up, or prepares: its answer is not compared. */
  readonly quiet?: boolean;
  /** Asks again until the answer holds this text, with what was kept put in: the state of what needs time. */
  readonly until?: string;
}

/** Requests in their order, and what they are about. */
export interface RequestTable {
  readonly title: string;
  readonly requests: readonly Request[];
}

/** Version of a request that names none: the newest that the oracle knows. */
export const DEFAULT_VERSION = '1.41';

/** A request with its version, as it is sent. */
export interface SentRequest extends Request {
  readonly version: string;
  /** What failures and intended differences call it. */
  readonly label: string;
}

/** The table's requests, each version of one by itself. */
export function expandVersions(requests: readonly Request[]): readonly SentRequest[] {
  return requests.flatMap((request) =>
    (request.versions ?? [DEFAULT_VERSION]).map((version) => ({
      ...request,
      version,
      label: describe(request, version),
    })),
  );
}

function describe({ ask, filters, json, raw }: Request, version: string): string {
  const body = json ?? (typeof raw === 'string' ? raw : undefined);
  return [
    ask,
    ...(filters === undefined ? [] : [`filters ${JSON.stringify(filters)}`]),
    ...(body === undefined ? [] : [`body ${JSON.stringify(body)}`]),
    ...(version === DEFAULT_VERSION ? [] : [`(${version === '' ? 'no version' : `version ${version}`})`]),
  ].join(' ');
}
