/** How clients reach the job's daemon: by its socket, or over the network with certificates. */
export type DockerAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly certPath: string };

/** What a runner puts into the environment of a job's steps so that stock clients work at once. */
export function jobEnvironment(address: DockerAddress): Readonly<Record<string, string>> {
  return {
    ...dockerVariables(address),
    // Published ports answer on the loopback address of the job, which testcontainers would not guess from inside a
    // container: there it takes the gateway of the default bridge.
    ...(address.kind === 'unix' ? { TESTCONTAINERS_HOST_OVERRIDE: 'localhost' } : {}),
    // Where Ryuk and others find the daemon in a container of the job, whatever the path is outside.
    TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE: '/var/run/docker.sock',
    // Ryuk asks for privileges by default in Java; it works without them, and the job ends its containers anyway.
    TESTCONTAINERS_RYUK_CONTAINER_PRIVILEGED: 'false',
    TESTCONTAINERS_RYUK_PRIVILEGED: 'false',
    // docker-compose 1.x reads a member of images that newer versions of the API do not have; compose 2 does not look at this.
    COMPOSE_API_VERSION: '1.44',
  };
}

function dockerVariables(address: DockerAddress): Readonly<Record<string, string>> {
  if (address.kind === 'unix') return { DOCKER_HOST: `unix://${address.path}` };
  const { host, port, certPath } = address;
  const shownHost = host.includes(':') ? `[${host}]` : host;
  return {
    DOCKER_HOST: `tcp://${shownHost}:${port}`,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: certPath,
  };
}
