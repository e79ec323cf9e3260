import { describe, expect, test } from 'vitest';

import { formatAnswer, formatFailure, parseQuery, type DnsQuestion } from './dns-message.ts';
import { answerFromNetworks } from './dns-names.ts';
import type { Endpoint } from './types.ts';

function query(name: string, type = 1, edns = Buffer.alloc(0)): Buffer {
  const header = Buffer.from(
    `1234` + `0100` + `0001` + `0000` + `0000${edns.length > 0 ? '0001' : '0000'}`,
    'hex',
  );
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  return Buffer.concat([header, ...labels, Buffer.of(0, type >> 8, type & 255, 0, 1), edns]);
}

function parsed(name: string, type = 1): DnsQuestion {
  const question = parseQuery(query(name, type));
  if (!question) throw new Error('not a query');
  return question;
}

function endpoint(networkName: string, ipAddress: string, ...dnsNames: readonly string[]): Endpoint {
  return {
    networkId: networkName,
    networkName,
    endpointId: 'e',
    macAddress: '',
    ipAddress,
    prefixLength: 16,
    gateway: '',
    interfaceName: 'eth0',
    gwPriority: 0,
    dnsNames,
    links: [],
  };
}

describe('a DNS query', () => {
  test('is read in lower case, and answered in the case it came in', () => {
    const question = parsed('WeB.Front');
    expect(question).toMatchObject({ id: 0x1234, name: 'web.front', type: 1, maxBytes: 512 });
    const answer = formatAnswer(question, { kind: 'addresses', addresses: ['10.0.0.2'] }, 512);
    expect(answer.toString('latin1')).toContain('\x03WeB\x05Front\x00');
    expect(answer.subarray(-4)).toEqual(Buffer.of(10, 0, 0, 2));
    expect([answer.readUInt16BE(2), answer.readUInt16BE(6)]).toEqual([0x8180, 1]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a header alone', query('a').subarray(0, 12)],
    ['a name that ends early', query('abc').subarray(0, 15)],
    ['a response', Buffer.concat([Buffer.from('12348180', 'hex'), query('a').subarray(4)])],
    ['two questions', Buffer.concat([Buffer.from('123401000002', 'hex'), query('a').subarray(6)])],
    [
      'a name that points to itself',
      Buffer.concat([query('a').subarray(0, 12), Buffer.of(0xc0, 12, 0, 1, 0, 1)]),
    ],
    ['a name without end', query('a'.repeat(60) + `.${'b'.repeat(60)}`.repeat(5))],
    ['another class', Buffer.concat([query('a').subarray(0, -1), Buffer.of(3)])],
  ])('that is %s is none', (_, message) => {
    expect(parseQuery(message)).toBeUndefined();
  });

  test.each([0, 1, 7, 11, 12, 20, 27])('cut after %i bytes never throws', (length) => {
    expect(() => parseQuery(query('web.front').subarray(0, length))).not.toThrow();
  });

  test('says how much it takes, and what does not fit is left out and said to be', () => {
    const opt = Buffer.from('0000291000000000000000', 'hex');
    expect(parseQuery(query('a', 1, opt))?.maxBytes).toBe(1232);
    const addresses = Array.from({ length: 100 }, (_, index) => `10.0.0.${index}`);
    const question = parsed('web');
    const small = formatAnswer(question, { kind: 'addresses', addresses }, 512);
    expect(small.length).toBeLessThanOrEqual(512);
    expect([small.readUInt16BE(2) & 0x0200, small.readUInt16BE(6)]).toEqual([0x0200, 30]);
    const whole = formatAnswer(question, { kind: 'addresses', addresses }, 65_535);
    expect([whole.readUInt16BE(2) & 0x0200, whole.readUInt16BE(6)]).toEqual([0, 100]);
  });

  test('that fails has its code and its question', () => {
    const failure = formatFailure(parsed('web'), 2);
    expect(failure.readUInt16BE(2)).toBe(0x8182);
    expect(failure.subarray(12)).toEqual(query('web').subarray(12));
  });
});

describe('names of networks', () => {
  const six = {
    ...endpoint('back', '10.2.0.5', 'six'),
    ipv6: { address: 'fd00::5', prefixLength: 64, gateway: '' },
  };
  const networks = [
    {
      members: [
        endpoint('front', '10.1.0.2', 'web', 'Alias'),
        endpoint('front', '10.1.0.3', 'web2', 'alias'),
      ],
      links: [
        { alias: 'Mine', target: 'web2' },
        { alias: 'gone', target: 'nobody' },
      ],
    },
    {
      members: [endpoint('back', '10.2.0.2', 'db'), endpoint('back', '10.2.0.3', 'web'), six],
      links: [{ alias: 'web2', target: 'db' }],
    },
  ];
  test.each([
    ['web', 1, ['10.1.0.2']],
    ['web.front', 1, ['10.1.0.2']],
    ['web.back', 1, ['10.2.0.3']],
    ['db', 1, ['10.2.0.2']],
    ['alias', 1, ['10.1.0.2', '10.1.0.3']],
    ['mine', 1, ['10.1.0.3']],
    ['web', 28, []],
    ['six', 28, ['fd00::5']],
    ['six', 1, ['10.2.0.5']],
    ['web', 16, []],
  ])('%s of type %i', (name, type, addresses) => {
    const answer = answerFromNetworks(parsed(name, type), networks);
    expect(answer?.kind === 'addresses' ? [...answer.addresses].sort() : answer).toEqual(addresses);
  });

  test.each(['other', 'gone', 'web.other', 'front', 'web.front.', '9.0.0.10.in-addr.arpa'])(
    '%s is not known',
    (name) => {
      expect(answerFromNetworks({ ...parsed('x'), name }, networks)).toBeUndefined();
    },
  );

  test('an address has its first name', () => {
    const answer = answerFromNetworks(parsed('2.0.2.10.in-addr.arpa', 12), networks);
    expect(answer).toEqual({ kind: 'name', name: 'db.back' });
    const backwards = `5.${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
    expect(answerFromNetworks({ ...parsed('x', 12), name: backwards }, networks)).toEqual({
      kind: 'name',
      name: 'six.back',
    });
    expect(
      answerFromNetworks({ ...parsed('x', 12), name: `6${backwards.slice(1)}` }, networks),
    ).toBeUndefined();
  });

  test('of several addresses each comes first at times', () => {
    const firsts = Array.from({ length: 100 }, () => {
      const answer = answerFromNetworks(parsed('alias'), networks);
      return answer?.kind === 'addresses' ? answer.addresses[0] : '';
    });
    expect(new Set(firsts)).toEqual(new Set(['10.1.0.2', '10.1.0.3']));
  });
});
