import { afterEach, describe, expect, it } from 'vitest';
import { systemRoutes } from '../../src/api/system/routes.ts';
import type { Job } from '../../src/engine/job.ts';
import { createEventLog, type JobEvent } from '../../src/state/event-log.ts';
import { startContractApp, type ContractApp } from '../support/contract-app.ts';
import { formatRequest, openRaw, rawHttp, type RawResponse } from '../support/raw-http.ts';
import { makeId } from '../support/records.ts';

let app: ContractApp;

afterEach(async () => {
  await app.close();
});

async function start(parts: Partial<Job>): Promise<void> {
  app = await startContractApp(systemRoutes, parts);
}

function get(path: string): Promise<RawResponse> {
  return rawHttp(app.socketPath, formatRequest({ method: 'GET', path }));
}

function parse(response: RawResponse): unknown {
  return JSON.parse(response.body.toString());
}

const WEB: Omit<JobEvent, 'timeNs'> = {
  type: 'container',
  action: 'start',
  actorId: makeId('c1'),
  attributes: { image: 'reg.test:5000/team/app:1', name: 'web', tier: 'front' },
};
const EVENTS: readonly Omit<JobEvent, 'timeNs'>[] = [
  WEB,
  { ...WEB, action: 'exec_create: sh' },
  { type: 'image', action: 'pull', actorId: 'app:2', attributes: { name: 'app' } },
  { type: 'volume', action: 'create', actorId: 'data', attributes: { driver: 'local' } },
  { type: 'network', action: 'connect', actorId: makeId('d1'), attributes: { name: 'net', type: 'bridge' } },
];

describe('/events', () => {
  /** An app whose log already holds EVENTS, one per second from second 1001 on; now is 2000. */
  async function startWithEvents(): Promise<void> {
    let now = 1_000n;
    const clock = (): bigint => now * 1_000_000_000n + 123_456_789n;
    const events = createEventLog(clock);
    for (const event of EVENTS) {
      now += 1n;
      events.emit(event);
    }
    now = 2_000n;
    await start({ events, nowNs: clock });
  }

  async function past(query: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const search = new URLSearchParams({ since: '1', until: '1999', ...query }).toString();
    const response = await get(`/events?${search}`);
    expect(response.status).toBe(200);
    const lines = response.body.toString().split('\n').slice(0, -1);
    return lines.map((line) => (JSON.parse(line) as { readonly Action: string }).Action);
  }

  it('has one document per line, with the legacy names for containers and images', async () => {
    await startWithEvents();
    const response = await get('/events?since=1001&until=1999');
    expect(response.headers.get('content-type')).toBe('application/json');
    const lines = response.body.toString().split('\n');
    const id = makeId('c1');
    const attributes = '{"image":"reg.test:5000/team/app:1","name":"web","tier":"front"}';
    expect(lines[0]).toBe(
      `{"status":"start","id":"${id}","from":"reg.test:5000/team/app:1","Type":"container","Action":"start",` +
        `"Actor":{"ID":"${id}","Attributes":${attributes}},"scope":"local","time":1001,"timeNano":1001123456789}`,
    );
    expect(lines[2]).toContain('{"status":"pull","id":"app:2","Type":"image"');
    expect(lines[3]).toContain('{"Type":"volume"');
  });

  it.each([
    [{}, ['start', 'exec_create: sh', 'pull', 'create', 'connect']],
    [{ since: '1003.2' }, ['create', 'connect']],
    [{ since: '1003.123456789' }, ['pull', 'create', 'connect']],
    [{ until: '1002.5' }, ['start', 'exec_create: sh']],
    [{ filters: '{"type":{"container":true}}' }, ['start', 'exec_create: sh']],
    [{ filters: '{"type":["image","volume"]}' }, ['pull', 'create']],
    [{ filters: '{"event":["exec_create"]}' }, ['exec_create: sh']],
    [{ filters: '{"event":["star"]}' }, []],
    [{ filters: '{"container":["web"]}' }, ['start', 'exec_create: sh']],
    [{ filters: '{"container":["c1"]}' }, ['start', 'exec_create: sh']],
    [{ filters: '{"container":["other"]}' }, []],
    [{ filters: '{"image":["reg.test:5000/team/app"]}' }, ['start', 'exec_create: sh']],
    [{ filters: '{"image":["app"]}' }, ['pull']],
    [{ filters: '{"label":["tier=front"]}' }, ['start', 'exec_create: sh']],
    [{ filters: '{"label":["tier=back"]}' }, []],
    [{ filters: '{"volume":["data"]}' }, ['create']],
    [{ filters: '{"network":["net"]}' }, ['connect']],
    [{ filters: '{"scope":["local"],"type":["volume"]}' }, ['create']],
    [{ filters: '{"scope":["swarm"]}' }, []],
    [{ filters: '{"daemon":["daemon-1"]}' }, []],
  ])('%j selects %j', async (query, actions) => {
    await startWithEvents();
    expect(await past(query)).toEqual(actions);
  });

  it.each([
    ['since=abc', 'invalid value for since: "abc" is not a Unix timestamp'],
    ['until=10m', 'invalid value for until: "10m" is not a Unix timestamp'],
    ['since=100&until=50', '`since` time (100) cannot be after `until` time (50)'],
  ])('%s is 400', async (query, message) => {
    await startWithEvents();
    const response = await get(`/events?${query}`);
    expect([response.status, parse(response)]).toEqual([400, { message }]);
  });

  it.each(['x', '[]', '"s"', '{"type":"x"}', '{"type":[1]}', '{"type":{"a":1}}'])(
    'filters %s are 400',
    async (filters) => {
      await startWithEvents();
      const response = await get(`/events?${new URLSearchParams({ filters, until: '1' }).toString()}`);
      expect(response.status).toBe(400);
    },
  );

  it('flushes its headers, then follows what happens, until the client leaves', async () => {
    await startWithEvents();
    const connection = await openRaw(app.socketPath);
    connection.send(formatRequest({ method: 'GET', path: '/events?filters={%22type%22:[%22container%22]}' }));
    expect((await connection.readHead()).status).toBe(200);
    app.job.events.emit({ type: 'volume', action: 'create', actorId: 'v', attributes: {} });
    app.job.events.emit({ ...WEB, action: 'die' });
    expect((await connection.readUntil('\n\r\n')).toString()).toContain('"Action":"die"');
    connection.close();
  });

  it('ends when until comes, though nothing happens', async () => {
    await start({ nowNs: () => BigInt(Date.now()) * 1_000_000n });
    const until = (Date.now() + 100) / 1000;
    expect((await get(`/events?until=${until}`)).body.length).toBe(0);
  });
});
