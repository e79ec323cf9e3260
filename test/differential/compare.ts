import type { Answer } from './answer.ts';

/** One thing that the daemons answered differently; `absent` stands for what is not there. */
export interface Difference {
  /** `status`, `header content-type`, or the way into the body: `HostConfig.Binds`, `[0].Names`. */
  readonly at: string;
  readonly dockerd: string;
  readonly berth: string;
}

/** Everything in which the two answers differ. */
export function compareAnswers(dockerd: Answer, berth: Answer): readonly Difference[] {
  // An answer of another status has another body: what it says is all that can be compared.
  if (dockerd.status !== berth.status)
    return [
      ...compare('status', dockerd.status, berth.status),
      ...(messageOf(dockerd) === undefined || messageOf(berth) === undefined
        ? []
        : compare('message', messageOf(dockerd), messageOf(berth))),
    ];
  return [...compare('header ', dockerd.headers, berth.headers), ...compare('', dockerd.body, berth.body)];
}

function messageOf({ body }: Answer): unknown {
  return isMap(body) ? body['message'] : undefined;
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function compare(at: string, dockerd: unknown, berth: unknown): readonly Difference[] {
  if (isMap(dockerd) && isMap(berth)) {
    const keys = [...new Set([...Object.keys(dockerd), ...Object.keys(berth)])];
    return keys.flatMap((key) =>
      compare(at === '' || at.endsWith(' ') ? `${at}${key}` : `${at}.${key}`, dockerd[key], berth[key]),
    );
  }
  if (Array.isArray(dockerd) && Array.isArray(berth) && dockerd.length === berth.length)
    return dockerd.flatMap((one: unknown, index) => compare(`${at}[${index}]`, one, berth[index]));
  if (show(dockerd) === show(berth)) return [];
  return [{ at: at === '' ? 'body' : at, dockerd: show(dockerd), berth: show(berth) }];
}
