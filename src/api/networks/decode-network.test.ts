import { describe, expect, it } from 'vitest';

import { decodeConnect, decodeDisconnect, decodeNetwork } from './decode-network.ts';

describe('bodies of networks', () => {
  it('give the name that the CLI asks for', () => {
    const body =
      '{"CheckDuplicate":true,"Driver":"bridge","Scope":"","EnableIPv6":false,"IPAM":{"Driver":"default","Options":{},' +
      '"Config":[]},"Internal":false,"Attachable":false,"Ingress":false,"ConfigOnly":false,"ConfigFrom":null,' +
      '"Options":{},"Labels":{},"Name":"mine"}';
    expect(decodeNetwork(Buffer.from(body)).request).toMatchObject({
      Name: 'mine',
      Driver: 'bridge',
      EnableIPv4: null,
      EnableIPv6: false,
      IPAM: { Driver: 'default', Options: {}, Config: [] },
    });
  });

  it('give the container of connect and disconnect', () => {
    expect(
      decodeConnect(Buffer.from('{"Container":"web","EndpointConfig":{"Aliases":["a"]}}')).request,
    ).toMatchObject({ Container: 'web', EndpointConfig: { Aliases: ['a'], MacAddress: '' } });
    expect(decodeDisconnect(Buffer.from('{"Container":"web","Force":true}')).request).toEqual({
      Container: 'web',
      Force: true,
    });
  });

  it.each(['', '[]', '{"Name":1,"Container":1}', '{"Name":', 'null x'])(
    'are refused when they are %j',
    (body) => {
      const refused = expect.objectContaining({ kind: 'InvalidArgument' }) as Error;
      expect(() => decodeNetwork(Buffer.from(body))).toThrow(refused);
      expect(() => decodeConnect(Buffer.from(body))).toThrow(refused);
      expect(() => decodeDisconnect(Buffer.from(body))).toThrow(refused);
    },
  );

  it('name a container', () => {
    expect(() => decodeConnect(Buffer.from('{}'))).toThrow('invalid name or ID supplied: ""');
    expect(() => decodeDisconnect(Buffer.from('{}'))).toThrow('invalid name or ID supplied: ""');
  });
});
