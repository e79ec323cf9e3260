import { describe, expect, it } from 'vitest';
import { admitBody, outcomeOf } from '../support/gate-fixtures.ts';

const BAD = 'InvalidArgument';

function mount(one: object): object {
  return host({ Mounts: [{ Target: '/x', ...one }] });
}

function host(hostConfig: object): object {
  return { HostConfig: hostConfig };
}

describe('create refuses malformed values', () => {
  it.each<[string, object]>([
    ['a namespace path as network', host({ NetworkMode: 'ns:/proc/1/ns/net' })],
    ['slirp4netns', host({ NetworkMode: 'slirp4netns' })],
    ['pasta', host({ NetworkMode: 'pasta' })],
    ['private network', host({ NetworkMode: 'private' })],
    ['container: without a name', host({ NetworkMode: 'container:' })],
    ['keep-id', host({ UsernsMode: 'keep-id' })],
    ['an unknown PID mode', host({ PidMode: 'private' })],
    ['an unknown IPC mode', host({ IpcMode: 'hosts' })],
    [
      'host endpoint beside bridge mode',
      { NetworkingConfig: { EndpointsConfig: { host: {} } }, HostConfig: { NetworkMode: 'bridge' } },
    ],
    ['a path as runtime', host({ Runtime: '/tmp/evil' })],
    ['a runtime with dots', host({ Runtime: 'io.containerd.runc.v2/../../x' })],
    ['another runtime', host({ Runtime: 'io.containerd.evil.v1' })],
    ['a binary log driver', host({ LogConfig: { Type: 'binary:///bin/sh' } })],
    ['a file log driver', host({ LogConfig: { Type: 'file:///etc/x' } })],
    ['a fifo log driver', host({ LogConfig: { Type: 'fifo://x' } })],
    ['a log path', host({ LogConfig: { Type: 'json-file', Config: { path: '/etc/x' } } })],
    [
      'a regular expression for labels',
      host({ LogConfig: { Type: 'json-file', Config: { 'labels-regex': '(a+)+$' } } }),
    ],
    ['max-size -1', host({ LogConfig: { Type: 'json-file', Config: { 'max-size': '-1' } } })],
    ['a sysctl with slashes', host({ Sysctls: { 'net/ipv4/ip_forward': '1' } })],
    ['a sysctl that climbs', host({ Sysctls: { 'net.ipv4.conf.all/../../kernel/x': '1' } })],
    ['a sysctl of one word', host({ Sysctls: { net: '1' } })],
    ['a bind that is no path', host({ Binds: ['a'] })],
    ['an anonymous volume on /', host({ Binds: ['/'] })],
    ['a bind onto /', host({ Binds: ['/a:/'] })],
    ['a bind onto a relative path', host({ Binds: ['/a:b'] })],
    ['a bind that climbs', host({ Binds: ['/a:/b/..'] })],
    ['a bind onto /proc', host({ Binds: ['/a:/proc/sys'] })],
    ['an unknown bind word', host({ Binds: ['/a:/b:rw,exec'] })],
    ['a volume name with a slash', host({ Binds: ['a/b:/c'] })],
    ['a volume name that climbs', host({ Binds: ['../x:/c'] })],
    ['a long volume name', host({ Binds: [`${'v'.repeat(300)}:/c`] })],
    ['a named pipe', host({ Mounts: [{ Type: 'npipe', Source: 'x', Target: '/c' }] })],
    ['a cluster volume', host({ Mounts: [{ Type: 'cluster', Source: 'x', Target: '/c' }] })],
    [
      'a subpath that climbs',
      host({
        Mounts: [{ Type: 'volume', Source: 'v', Target: '/c', VolumeOptions: { Subpath: 'a/../../b' } }],
      }),
    ],
    [
      'an absolute subpath',
      host({ Mounts: [{ Type: 'volume', Source: 'v', Target: '/c', VolumeOptions: { Subpath: '/etc' } }] }),
    ],
    ['a mount without type', host({ Mounts: [{ Source: '/x', Target: '/c' }] })],
    ['an unknown mount option', host({ Mounts: [{ Type: 'tmpfs', Target: '/c', Options: ['dev'] }] })],
    [
      '10000 mounts',
      host({ Mounts: Array.from({ length: 10_000 }, (_, i) => ({ Type: 'tmpfs', Target: `/m${i}` })) }),
    ],
    ['two mounts at one place', host({ Tmpfs: { '/d': '' }, Mounts: [{ Type: 'tmpfs', Target: '/d/' }] })],
    ['tmpfs with devices', host({ Tmpfs: { '/run': 'size=1k,dev' } })],
    ['tmpfs with an overlay option', host({ Tmpfs: { '/run': 'size=1k,upperdir=/' } })],
    ['tmpfs with a source', host({ Tmpfs: { '/run': 'source=/' } })],
    ['tmpfs onto /', host({ Tmpfs: { '/': '' } })],
    ['VOLUME /proc', { Volumes: { '/proc': {} } }],
    ['a storage option', host({ StorageOpt: { size: '10G' } })],
    ['CPUs that the machine has not', host({ CpusetCpus: '0-100000' })],
    ['a fifth CPU', host({ CpusetCpus: '4' })],
    ['a name as group', host({ GroupAdd: ['a:b'] })],
    ['a group id out of range', host({ GroupAdd: ['4294967296'] })],
    ['a user id out of range', { User: '4294967296' }],
    ['a negative user', { User: '-1' }],
    ['a user in three parts', { User: 'a:b:c' }],
    ['a group id out of range in User', { User: '0:2147483648' }],
    ['a relative working directory', { WorkingDir: 'a' }],
    ['a descriptor as working directory', { WorkingDir: '/proc/self/fd/7' }],
    ['a descriptor by detours', { WorkingDir: '/tmp/../proc//thread-self/cwd' }],
    ['a hostname in two lines', { Hostname: 'a\n127.0.0.1 evil' }],
    ['a hostname with a slash', { Hostname: '../x' }],
    ['a long hostname', { Hostname: 'h'.repeat(65) }],
    ['a domain name in two lines', { Domainname: 'a\nb' }],
    ['a name server in two lines', host({ Dns: ['10.0.0.1\nnameserver 6.6.6.6'] })],
    ['a dns option in two lines', host({ DnsOptions: ['a\nb'] })],
    ['a search domain in two words', host({ DnsSearch: ['a b'] })],
    ['an extra host in two lines', host({ ExtraHosts: ['a:10.0.0.1\n10.0.0.2 b'] })],
    ['an extra host without address', host({ ExtraHosts: ['a'] })],
    ['a multicast MAC address', { MacAddress: '01:00:5e:00:00:01' }],
    ['a MAC address of zeros', { MacAddress: '00:00:00:00:00:00' }],
    ['an environment entry without name', { Env: ['=x'] }],
    ['a link that climbs', host({ Links: ['mine:../../etc/hosts'] })],
    ['a port 0', host({ PortBindings: { '0/tcp': [] } })],
    ['a port of another protocol', host({ PortBindings: { '80/icmp': [] } })],
    ['a host port out of range', host({ PortBindings: { '80/tcp': [{ HostPort: '99999' }] } })],
    ['a host port that falls', host({ PortBindings: { '80/tcp': [{ HostPort: '90-80' }] } })],
    ['a host address of words', host({ PortBindings: { '80/tcp': [{ HostIp: 'x' }] } })],
    [
      'an endpoint driver option',
      {
        NetworkingConfig: {
          EndpointsConfig: { bridge: { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'x' } } },
        },
      },
    ],
    ['a healthcheck that never rests', { Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }],
    ['an unknown ulimit', host({ Ulimits: [{ Name: 'as', Soft: 1, Hard: 1 }] })],
    ['an annotation without name', host({ Annotations: { '': 'x' } })],
    ['no container to take volumes from', host({ VolumesFrom: [''] })],
    ['unknown modes of volumes of others', host({ VolumesFrom: ['own:nocopy'] })],
    ['propagation of volumes of others', host({ VolumesFrom: ['own:rshared'] })],
    ['contradicting modes of volumes of others', host({ VolumesFrom: ['own:ro,rw'] })],
    [
      'a part outside of a volume',
      mount({ Type: 'volume', Source: 'data', VolumeOptions: { Subpath: 'a/../../b' } }),
    ],
    ['a part of a new volume', mount({ Type: 'volume', VolumeOptions: { Subpath: 'a' } })],
    ['a part outside of an image', mount({ Type: 'image', Source: 'i', ImageOptions: { Subpath: '/etc' } })],
    ['no image', mount({ Type: 'image' })],
    [
      "an image's options for a volume",
      mount({ Type: 'volume', Source: 'data', ImageOptions: { Subpath: 'a' } }),
    ],
  ])('%s', (_, body) => {
    expect(outcomeOf(() => admitBody(body)).kind).toBe(BAD);
  });

  it.each<[string, object]>([
    ['network', { NetworkMode: 'container:other' }],
    ['network by a path', { NetworkMode: 'container:../x' }],
    ['PID', { PidMode: 'container:other' }],
    ['IPC', { IpcMode: 'container:other' }],
    ['volumes', { VolumesFrom: ['other:rw'] }],
  ])("another's container for %s is as good as none", (_, hostConfig) => {
    const { kind, text } = outcomeOf(() => admitBody(host(hostConfig)));
    expect(kind).toBe('NotFound');
    expect(text).toMatch(/^No such container: /);
  });
});
