/** What a runner puts into the environment of a job's steps so that stock clients work at once. */
export function jobEnvironment(socketPath: string): Readonly<Record<string, string>> {
  return {
    DOCKER_HOST: `unix://${socketPath}`,
    // Ryuk asks for privileges by default in Java; it works without them, and the job ends its containers anyway.
    TESTCONTAINERS_RYUK_CONTAINER_PRIVILEGED: 'false',
    TESTCONTAINERS_RYUK_PRIVILEGED: 'false',
  };
}
