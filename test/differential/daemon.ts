import { openRaw, formatRequest, type RawConnection, type RawHead } from '../support/raw-http.ts';
import { decodeAnswer, type Answer } from './answer.ts';
import { distinct, normaliseAnswer, sorted, typesOf } from './normalise.ts';
import { expandVersions, type Request, type SentRequest } from './request.ts';

// What a daemon has to do for an answer takes long on a machine that is busy with something else.
const answerTimeoutMs = 60_000;
const pollMs = 50;

/** An answer, or why there is none. */
export type Outcome = Answer | { readonly failure: string };

interface Run {
  readonly socket: string;
  readonly kept: Map<string, string>;
}

/** Sends a table's requests one after the other, and gives the normalised answers in their order. */
export async function runTable(
  socket: string,
  requests: readonly Request[],
): Promise<ReadonlyMap<SentRequest, Outcome>> {
  const run: Run = { socket, kept: new Map([['began', now()]]) };
  const outcomes = new Map<SentRequest, Promise<Outcome>>();
  for (const request of expandVersions(requests)) {
    const begun = begin(run, request);
    const outcome = begun
      .then((started) => started.finish())
      .catch((error: unknown) => ({ failure: error instanceof Error ? error.message : String(error) }));
    outcomes.set(request, outcome);
    await (request.later === true ? begun.catch(() => undefined) : outcome);
  }
  const answered = await Promise.all(
    [...outcomes].map(async ([request, outcome]) => [request, await outcome] as const),
  );
  const names = new Map([...run.kept].map(([name, id]) => [id, name]));
  return new Map(
    answered.map(([request, outcome]): readonly [SentRequest, Outcome] => {
      if ('failure' in outcome) return [request, outcome];
      const normal = normaliseAnswer(outcome, names);
      return [request, { ...normal, body: comparable(request, normal.body) }];
    }),
  );
}

/** Of the body what the request wants compared. */
function comparable({ without = [], distinct: once, unordered, values }: Request, body: unknown): unknown {
  const leftOut = (one: unknown): boolean => without.some((text) => JSON.stringify(one).includes(text));
  const kept = Array.isArray(body) ? body.filter((one) => !leftOut(one)) : body;
  const told = once === true ? distinct(kept) : kept;
  const ordered = unordered === true ? sorted(told) : told;
  return values === 'types' ? typesOf(ordered) : ordered;
}

interface Begun {
  finish(): Promise<Answer>;
}

async function begin(run: Run, request: SentRequest): Promise<Begun> {
  const connection = await openRaw(run.socket, answerTimeoutMs);
  connection.send(formatRequest(toBytes(run, request)));
  const [method = ''] = request.ask.split(' ');
  const head = await connection.readHead();
  if (request.stdin !== undefined && head.status === 101) {
    connection.send(Buffer.from(request.stdin, 'latin1'));
    connection.end();
  }
  return {
    finish: async () => {
      try {
        const answer = await decodeAnswer(await readRest(connection, head, method));
        if (!holds(run, request, answer)) return await askAgain(run, request);
        keep(run, request, answer);
        return answer;
      } finally {
        connection.close();
      }
    },
  };
}

async function askAgain(run: Run, request: SentRequest): Promise<Answer> {
  const deadline = performance.now() + answerTimeoutMs;
  for (;;) {
    await new Promise((settle) => setTimeout(settle, pollMs));
    const { until, ...once } = request;
    const answer = await (await begin(run, once)).finish();
    if (holds(run, request, answer)) return answer;
    if (performance.now() > deadline) throw new Error(`never ${until ?? ''}: ${JSON.stringify(answer)}`);
  }
}

/** True when the answer has the text that the request asks for until it is there. */
function holds(run: Run, { until = '' }: SentRequest, { body }: Answer): boolean {
  return JSON.stringify(body).includes(substitute(run, until));
}

async function readRest(
  connection: RawConnection,
  head: RawHead,
  method: string,
): Promise<Parameters<typeof decodeAnswer>[0]> {
  const body = head.status === 101 ? connection.readToEnd() : connection.readBody(head, method);
  return { ...head, body: await body };
}

/** Unix time, as events take it. */
function now(): string {
  return (Date.now() / 1000).toFixed(3);
}

/** Puts in what was kept; `{began}` is when the table's first request was sent, `{now}` when this one is. */
function substitute(run: Run, text: string): string {
  const known = (name: string): string | undefined => (name === 'now' ? now() : run.kept.get(name));
  return text.replaceAll(/\{([a-z]\w*)\}/g, (whole, name: string) => known(name) ?? whole);
}

function toBytes(run: Run, request: SentRequest): Parameters<typeof formatRequest>[0] {
  const { ask, version, filters, json, raw, stdin, headers } = request;
  const [method = '', path = ''] = substitute(run, ask).split(' ');
  const query = filters === undefined ? '' : substitute(run, JSON.stringify(filters));
  const mark = path.includes('?') ? '&' : '?';
  const target = `${version === '' ? '' : `/v${version}`}${path}${query && `${mark}filters=${encodeURIComponent(query)}`}`;
  const body = json === undefined ? raw : substitute(run, JSON.stringify(json));
  return {
    method,
    path: target,
    headers: {
      ...(stdin === undefined ? {} : { Connection: 'Upgrade', Upgrade: 'tcp' }),
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? (method === 'POST' ? { body: '' } : {}) : { body }),
  };
}

/** Members of the answer, or of the last line that has them; `aux.ID` is one inside of another. */
function keep(run: Run, { keep: wanted }: SentRequest, { body }: Answer): void {
  const said: unknown = Object.assign({}, ...[body].flat());
  const memberOf = (from: unknown, member: string): unknown =>
    (from as Readonly<Record<string, unknown>> | undefined)?.[member];
  for (const [name, path] of Object.entries(wanted ?? {})) {
    const value = path.split('.').reduce(memberOf, said);
    if (typeof value === 'string') run.kept.set(name, value);
  }
}
