import { describe, expect, it } from 'vitest';

import { decodeMember, decodeNetworkName } from './decode-network.ts';

describe('bodies of networks', () => {
  it('give the name that the CLI asks for', () => {
    const body =
      '{"CheckDuplicate":true,"Driver":"bridge","Scope":"","EnableIPv6":false,"IPAM":{"Driver":"default","Options":{},' +
      '"Config":[]},"Internal":false,"Attachable":false,"Ingress":false,"ConfigOnly":false,"ConfigFrom":null,' +
      '"Options":{},"Labels":{},"Name":"mine"}';
    expect(decodeNetworkName(Buffer.from(body))).toBe('mine');
  });

  it('give the container of connect and disconnect', () => {
    expect(decodeMember(Buffer.from('{"Container":"web","EndpointConfig":{"Aliases":["a"]}}'))).toBe('web');
    expect(decodeMember(Buffer.from('{"Container":"web","Force":true}'))).toBe('web');
  });

  it.each(['', '[]', '{"Name":1,"Container":1}', '{"Name":', 'null x'])(
    'are refused when they are %j',
    (body) => {
      const refused = expect.objectContaining({ kind: 'InvalidArgument' }) as Error;
      expect(() => decodeNetworkName(Buffer.from(body))).toThrow(refused);
      expect(() => decodeMember(Buffer.from(body))).toThrow(refused);
    },
  );

  it('name a container', () => {
    expect(() => decodeMember(Buffer.from('{}'))).toThrow('invalid name or ID supplied: ""');
  });
});
