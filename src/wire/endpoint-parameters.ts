/**
 * The parameters in the query of each endpoint that has any: those of every version of the API from 1.24 on, and those
 * that its daemon reads besides.
 */
export interface EndpointParameters {
  'container list': 'all' | 'limit' | 'since' | 'before' | 'size' | 'filters';
  'container create': 'name' | 'platform';
  'container inspect': 'size';
  'container top': 'ps_args';
  'container logs': 'details' | 'follow' | 'stdout' | 'stderr' | 'since' | 'until' | 'timestamps' | 'tail';
  'container stats': 'stream' | 'one-shot';
  'container start': 'detachKeys' | 'checkpoint' | 'checkpoint-dir';
  'container stop': 't' | 'signal';
  'container restart': 't' | 'signal';
  'container kill': 'signal';
  'container rename': 'name';
  'container resize': 'h' | 'w';
  'container wait': 'condition';
  'container attach': 'detachKeys' | 'logs' | 'stream' | 'stdin' | 'stdout' | 'stderr';
  'container delete': 'v' | 'force' | 'link';
  'container prune': 'filters';
  'archive read': 'path';
  'archive write': 'path' | 'noOverwriteDirNonDir' | 'copyUIDGID';
  'exec resize': 'h' | 'w';
  commit: 'container' | 'repo' | 'tag' | 'comment' | 'author' | 'pause' | 'changes';
  'image list': 'all' | 'filters' | 'filter' | 'digests' | 'shared-size' | 'manifests' | 'identity';
  'image create': 'fromImage' | 'fromSrc' | 'repo' | 'tag' | 'platform' | 'message' | 'changes';
  'image inspect': 'manifests' | 'platform';
  'image history': 'platform';
  'image save': 'names' | 'platform';
  'image load': 'quiet' | 'platform';
  'image tag': 'repo' | 'tag';
  'image push': 'tag' | 'platform';
  'image delete': 'force' | 'noprune' | 'platforms';
  'image prune': 'filters';
  build:
    | 'dockerfile'
    | 't'
    | 'extrahosts'
    | 'remote'
    | 'q'
    | 'nocache'
    | 'cachefrom'
    | 'pull'
    | 'rm'
    | 'forcerm'
    | 'memory'
    | 'memswap'
    | 'cpushares'
    | 'cpusetcpus'
    | 'cpusetmems'
    | 'cpuperiod'
    | 'cpuquota'
    | 'buildargs'
    | 'shmsize'
    | 'squash'
    | 'labels'
    | 'networkmode'
    | 'platform'
    | 'target'
    | 'outputs'
    | 'version'
    | 'securityopt'
    | 'cgroupparent'
    | 'isolation'
    | 'ulimits'
    | 'entitlements'
    | 'session'
    | 'buildid';
  'build prune': 'keep-storage' | 'reserved-space' | 'max-used-space' | 'min-free-space' | 'all' | 'filters';
  'network list': 'filters';
  'network inspect': 'verbose' | 'scope';
  'network prune': 'filters';
  'volume list': 'filters';
  'volume delete': 'force';
  'volume prune': 'filters';
  events: 'since' | 'until' | 'filters';
  'disk usage': 'type' | 'verbose';
  'plugin list': 'filters';
}

/** An endpoint that has parameters, by what is done: the words that decisions about it are recorded under. */
export type EndpointName = keyof EndpointParameters;
