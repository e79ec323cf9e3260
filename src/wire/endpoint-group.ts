/** A group of endpoints: the first word of their paths. */
export type EndpointGroup =
  | 'auth'
  | 'build'
  | 'commit'
  | 'configs'
  | 'containers'
  | 'distribution'
  | 'events'
  | 'exec'
  | 'grpc'
  | 'images'
  | 'info'
  | 'networks'
  | 'nodes'
  | 'ping'
  | 'plugins'
  | 'secrets'
  | 'services'
  | 'session'
  | 'swarm'
  | 'system'
  | 'tasks'
  | 'version'
  | 'volumes';

/** What an endpoint does to one container, where that can be closed by itself. */
export type EndpointVerb = 'start' | 'stop' | 'restart' | 'kill' | 'exec' | 'delete';
