// Bodies of creates as well-known clients write them.

const SOCKET = '/var/run/docker.sock';
const WORK = '/home/runner/work';

/** GitHub's runner, for a job with `container:`. */
export const GITHUB = {
  Image: 'node:20',
  Entrypoint: ['tail'],
  Cmd: ['-f', '/dev/null'],
  WorkingDir: '/__w/repo/repo',
  Env: ['HOME=/github/home', 'GITHUB_ACTIONS=true', 'CI=true'],
  Labels: { '30d7d3': '' },
  HostConfig: {
    NetworkMode: 'github_network_0123456789abcdef',
    Binds: [
      `${SOCKET}:${SOCKET}`,
      `${WORK}:/__w`,
      '/home/runner/externals:/__e:ro',
      `${WORK}/_temp:/__w/_temp`,
      `${WORK}/_actions:/__w/_actions`,
      `${WORK}/_tool:/__t`,
      `${WORK}/_temp/_github_home:/github/home`,
      `${WORK}/_temp/_github_workflow:/github/workflow`,
    ],
  },
  NetworkingConfig: {
    EndpointsConfig: { github_network_0123456789abcdef: { Aliases: ['job'], IPAMConfig: null, Links: null } },
  },
};

/** A service of GitHub's runner, with a health check of the workflow's. */
export const GITHUB_SERVICE = {
  Image: 'postgres:16',
  Env: ['POSTGRES_PASSWORD=postgres', 'GITHUB_ACTIONS=true', 'CI=true'],
  ExposedPorts: { '5432/tcp': {} },
  Healthcheck: { Test: ['CMD-SHELL', 'pg_isready'], Interval: 1e10, Timeout: 5e9, Retries: 5 },
  HostConfig: {
    NetworkMode: 'github_network_0123456789abcdef',
    PortBindings: { '5432/tcp': [{ HostIp: '', HostPort: '5432' }] },
  },
};

/** The helper of GitLab's docker executor. */
export const GITLAB_HELPER = {
  Hostname: 'runner-abc-project-1-concurrent-0',
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  OpenStdin: true,
  StdinOnce: true,
  Env: ['CI_BUILDS_DIR=/builds', 'FF_TIMESTAMPS=true'],
  Cmd: ['gitlab-runner-build'],
  Image: 'registry.gitlab.com/gitlab-org/gitlab-runner/gitlab-runner-helper:x86_64-v17.0.0',
  Labels: { 'com.gitlab.gitlab-runner.job.id': '1', 'com.gitlab.gitlab-runner.type': 'predefined' },
  HostConfig: {
    Binds: ['runner-abc-cache-3c3f0606:/cache', 'runner-abc-cache-c33bcaa1:/builds'],
    NetworkMode: 'bridge',
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    CapAdd: null,
    CapDrop: null,
    Privileged: false,
    SecurityOpt: null,
    LogConfig: { Type: 'json-file', Config: null },
    Devices: null,
    Sysctls: {},
    Init: null,
  },
  NetworkingConfig: { EndpointsConfig: {} },
};

/** A service of `docker compose up`. */
export const COMPOSE = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: true,
  AttachStderr: true,
  ExposedPorts: { '6379/tcp': {} },
  Tty: false,
  Env: ['A=b'],
  Cmd: ['redis-server'],
  Image: 'redis:7',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: {
    'com.docker.compose.project': 'shop',
    'com.docker.compose.service': 'cache',
    'com.docker.compose.config-hash': 'f'.repeat(64),
  },
  HostConfig: {
    Binds: ['shop_data:/data:rw', '/src/conf:/etc/redis:ro'],
    ContainerIDFile: '',
    LogConfig: { Type: '', Config: null },
    NetworkMode: 'shop_default',
    PortBindings: { '6379/tcp': [{ HostIp: '', HostPort: '' }] },
    RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 },
    AutoRemove: false,
    VolumeDriver: '',
    VolumesFrom: null,
    CapAdd: null,
    CapDrop: null,
    CgroupnsMode: '',
    Dns: null,
    DnsOptions: null,
    DnsSearch: null,
    ExtraHosts: ['gw:host-gateway'],
    GroupAdd: null,
    IpcMode: '',
    Cgroup: '',
    Links: null,
    OomScoreAdj: 0,
    PidMode: '',
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    SecurityOpt: null,
    UTSMode: '',
    UsernsMode: '',
    ShmSize: 0,
    ConsoleSize: [0, 0],
    Isolation: '',
    CpuShares: 0,
    Memory: 0,
    NanoCpus: 0,
    CgroupParent: '',
    BlkioWeight: 0,
    BlkioWeightDevice: null,
    Devices: null,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemorySwappiness: null,
    OomKillDisable: null,
    PidsLimit: null,
    Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 2048 }],
    MaskedPaths: null,
    ReadonlyPaths: null,
    Tmpfs: { '/run': '' },
    Init: true,
    Mounts: [{ Type: 'volume', Source: 'shop_more', Target: '/more', VolumeOptions: {} }],
  },
  NetworkingConfig: {
    EndpointsConfig: {
      shop_default: { IPAMConfig: null, Links: null, Aliases: ['shop-cache-1', 'cache'], DriverOpts: null },
    },
  },
};

/** Ryuk, as testcontainers starts it without the privileges that its Java library asks for. */
export const RYUK = {
  Image: 'testcontainers/ryuk:0.11.0',
  Labels: { 'org.testcontainers.ryuk': 'true', 'org.testcontainers.sessionId': 'x' },
  ExposedPorts: { '8080/tcp': {} },
  HostConfig: {
    AutoRemove: true,
    Privileged: false,
    NetworkMode: 'bridge',
    Binds: [`${SOCKET}:${SOCKET}:rw`],
    PortBindings: { '8080/tcp': [{ HostIp: '', HostPort: '' }] },
  },
};

/** The container of buildx's docker-container driver. */
export const BUILDX = {
  Image: 'moby/buildkit:buildx-stable-1',
  HostConfig: {
    Privileged: true,
    Init: true,
    RestartPolicy: { Name: 'unless-stopped' },
    UsernsMode: '',
    NetworkMode: 'bridge',
    CgroupParent: '/docker/buildx',
    Mounts: [{ Type: 'volume', Source: 'buildx_buildkit_b0_state', Target: '/var/lib/buildkit' }],
  },
};

/** A node of KIND. */
export const KIND = {
  Image: 'kindest/node:v1.32.0',
  Hostname: 'kind-control-plane',
  Tty: true,
  Volumes: { '/var': {} },
  Env: ['KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER', 'KUBECONFIG=/etc/kubernetes/admin.conf'],
  Labels: { 'io.x-k8s.kind.cluster': 'kind', 'io.x-k8s.kind.role': 'control-plane' },
  ExposedPorts: { '6443/tcp': {} },
  HostConfig: {
    Privileged: true,
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
    Tmpfs: { '/tmp': '', '/run': '' },
    Binds: ['/lib/modules:/lib/modules:ro'],
    NetworkMode: 'kind',
    CgroupnsMode: 'private',
    Init: false,
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 },
    PortBindings: { '6443/tcp': [{ HostIp: '127.0.0.1', HostPort: '41235' }] },
  },
};
