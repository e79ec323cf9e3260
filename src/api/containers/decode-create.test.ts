import { describe, expect, it } from 'vitest';
import type { CreateRequest } from '../../wire/create-request.ts';
import type { ApiVersion } from '../http/api-version.ts';
import { decodeCreate } from './decode-create.ts';

function decode(body: object | string, version: ApiVersion = '1.51'): CreateRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return decodeCreate(new TextEncoder().encode(text), version).request;
}

describe('decodeCreate', () => {
  it("has dockerd's defaults for an image alone", () => {
    const { config, hostConfig, networkingConfig } = decode({ Image: 'busybox' });
    expect(config).toEqual({
      Hostname: '',
      Domainname: '',
      User: '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: null,
      Cmd: null,
      Image: 'busybox',
      Volumes: null,
      WorkingDir: '',
      Entrypoint: null,
      OnBuild: null,
      Labels: null,
    });
    expect(hostConfig).toMatchObject({
      NetworkMode: 'bridge',
      IpcMode: 'private',
      CgroupnsMode: 'private',
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      LogConfig: { Type: 'json-file', Config: {} },
      ShmSize: 67108864,
      Runtime: 'runc',
      ConsoleSize: [0, 0],
      PortBindings: {},
      MaskedPaths: null,
      ReadonlyPaths: null,
      PidsLimit: null,
      MemorySwappiness: null,
    });
    for (const name of ['Tmpfs', 'Sysctls', 'Mounts', 'Annotations', 'Init', 'StorageOpt', 'KernelMemory']) {
      expect(hostConfig).not.toHaveProperty(name);
    }
    expect(networkingConfig).toEqual({ EndpointsConfig: {} });
  });

  it('keeps a list that is empty apart from one that is absent', () => {
    const { hostConfig, config } = decode({
      Image: 'x',
      Entrypoint: [],
      HostConfig: { MaskedPaths: [], ReadonlyPaths: null },
    });
    expect(hostConfig.MaskedPaths).toEqual([]);
    expect(hostConfig.ReadonlyPaths).toBeNull();
    expect(config.Entrypoint).toEqual([]);
  });

  it('takes strings for lists where old clients send them, capabilities included', () => {
    const { config, hostConfig } = decode({
      Image: 'x',
      Cmd: 'a b',
      Entrypoint: 'e',
      HostConfig: { CapAdd: 'SYS_ADMIN', CapDrop: 'ALL' },
    });
    expect([config.Cmd, config.Entrypoint, hostConfig.CapAdd, hostConfig.CapDrop]).toEqual([
      ['a b'],
      ['e'],
      ['SYS_ADMIN'],
      ['ALL'],
    ]);
  });

  it('reads what the command line sends for "not asked" as not asked', () => {
    const { hostConfig } = decode({
      Image: 'x',
      HostConfig: { MemorySwappiness: -1, PidsLimit: 0, NetworkMode: 'default' },
      NetworkingConfig: { EndpointsConfig: { default: null } },
    });
    expect(hostConfig).toMatchObject({ MemorySwappiness: null, PidsLimit: null, NetworkMode: 'bridge' });
  });

  it('names the default network in its endpoints too', () => {
    const { networkingConfig } = decode({
      Image: 'x',
      NetworkingConfig: { EndpointsConfig: { default: { MacAddress: 'a' } } },
    });
    expect(Object.keys(networkingConfig.EndpointsConfig)).toEqual(['bridge']);
  });

  it.each<[string, object, ApiVersion, object]>([
    ['IPC is shareable before 1.40', {}, '1.39', { IpcMode: 'shareable' }],
    ['IPC is private from 1.40', {}, '1.40', { IpcMode: 'private' }],
    ['there is a console size from 1.42', { ConsoleSize: [24, 80] }, '1.42', { ConsoleSize: [24, 80] }],
    ['there is none before', { ConsoleSize: [24, 80] }, '1.41', { ConsoleSize: [0, 0] }],
    ['there are annotations from 1.43', { Annotations: { a: 'b' } }, '1.43', { Annotations: { a: 'b' } }],
  ])('%s', (_, ...[hostConfig, version, expected]) => {
    expect(decode({ Image: 'x', HostConfig: hostConfig }, version).hostConfig).toMatchObject(expected);
  });

  it.each<[ApiVersion, object]>([
    ['1.39', { Propagation: 'rprivate' }],
    ['1.40', { Propagation: 'rprivate', NonRecursive: true }],
    ['1.41', { Propagation: 'rprivate', NonRecursive: true }],
    ['1.42', { Propagation: 'rprivate', NonRecursive: true, CreateMountpoint: true }],
  ])('knows the options of a bind that version %s has: %j', (version, BindOptions) => {
    const asked = { Propagation: 'rprivate', NonRecursive: true, CreateMountpoint: true };
    const mount = { Type: 'bind', Source: '/work', Target: '/x', BindOptions: asked };
    const { Mounts: mounts } = decode({ Image: 'x', HostConfig: { Mounts: [mount] } }, version).hostConfig;
    expect(mounts?.map((one) => one.BindOptions)).toEqual([BindOptions]);
  });

  it('leaves out what a version does not have', () => {
    expect(
      decode({ Image: 'x', HostConfig: { Annotations: { a: 'b' } } }, '1.42').hostConfig,
    ).not.toHaveProperty('Annotations');
    const health = { Test: ['CMD', 'x'], StartInterval: 5e9 };
    expect(decode({ Image: 'x', Healthcheck: health }, '1.43').config.Healthcheck?.StartInterval).toBe(0);
    expect(decode({ Image: 'x', Healthcheck: health }, '1.44').config.Healthcheck?.StartInterval).toBe(5e9);
  });

  it('has several networks from 1.44', () => {
    const body = { Image: 'x', NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } };
    expect(() => decode(body, '1.43')).toThrow(
      'Container cannot be created with multiple network endpoints: a, b',
    );
    expect(Object.keys(decode(body, '1.44').networkingConfig.EndpointsConfig)).toEqual(['a', 'b']);
  });

  it.each([
    ['', 'invalid JSON: got EOF while reading request body'],
    ['{}', 'Config cannot be empty in order to create a container'],
    ['{"HostConfig":{}}', 'Config cannot be empty in order to create a container'],
    ['{"Image":"x"', 'invalid JSON: unexpected EOF'],
    ['{"Image":"x"}{}', 'unexpected content after JSON'],
    [
      '{"Image":1}',
      'invalid JSON: json: cannot unmarshal number 1 into Go struct field CreateRequest.Image of type string',
    ],
    [
      '{"Image":"x","HostConfig":{"Privileged":"true"}}',
      'invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Privileged of type bool',
    ],
    [
      '{"Image":"x","HostConfig":{"ConsoleSize":[1,2,3]}}',
      'invalid JSON: HostConfig.ConsoleSize: more than a height and a width',
    ],
    [
      '{"Image":"x","Hostname":"h","HostConfig":{"UTSMode":"host"}}',
      'conflicting options: hostname and the UTS mode',
    ],
    [
      '{"Image":"x","Hostname":"h","HostConfig":{"NetworkMode":"container:y"}}',
      'conflicting options: hostname and the network mode',
    ],
    ['null', 'Config cannot be empty in order to create a container'],
  ])('refuses %j', (body, message) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ kind: 'InvalidArgument', message }));
  });
});
