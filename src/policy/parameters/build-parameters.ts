import type { BuildRequest } from '../../wire/build-request.ts';
import type { HostConfig } from '../../wire/host-config.ts';
import { BUILD_RULES } from '../build-rules.ts';
import { HOST_CONFIG_RULES } from '../host-config-rules.ts';
import { formed, type ParameterRule, type ParameterTables } from '../parameter-rule.ts';
import { free } from '../rule.ts';

/** The parameter is a field of the build, and the row of that field decides. */
function ofBuild(field: keyof BuildRequest): ParameterRule {
  const { verdict, reason } = BUILD_RULES[field];
  return { verdict, reason: `${reason} (${field} of build)` };
}

/** The parameter is a field of the containers of the build's steps, and the row of that field decides. */
function ofSteps(field: keyof HostConfig): ParameterRule {
  const { verdict, reason } = HOST_CONFIG_RULES[field];
  return { verdict, reason: `${reason} (HostConfig.${field} of each step)` };
}

const BYTES = formed('integer', 'an integer, of bytes');

/** The rows of the queries about builds. */
export const buildParameters: ParameterTables<'build' | 'build prune'> = {
  build: {
    dockerfile: ofBuild('dockerfile'),
    t: ofBuild('tags'),
    extrahosts: ofSteps('ExtraHosts'),
    remote: ofBuild('remote'),
    q: free('what is shown of the build'),
    nocache: ofBuild('noCache'),
    cachefrom: ofBuild('cacheFrom'),
    pull: ofBuild('pull'),
    rm: ofBuild('remove'),
    forcerm: ofBuild('forceRemove'),
    memory: ofSteps('Memory'),
    memswap: ofSteps('MemorySwap'),
    cpushares: ofSteps('CpuShares'),
    cpusetcpus: ofSteps('CpusetCpus'),
    cpusetmems: ofSteps('CpusetMems'),
    cpuperiod: ofSteps('CpuPeriod'),
    cpuquota: ofSteps('CpuQuota'),
    buildargs: ofBuild('buildArgs'),
    shmsize: ofSteps('ShmSize'),
    squash: ofBuild('squash'),
    labels: ofBuild('labels'),
    networkmode: ofSteps('NetworkMode'),
    platform: ofBuild('platform'),
    target: ofBuild('target'),
    outputs: ofBuild('outputs'),
    version: ofBuild('version'),
    securityopt: ofSteps('SecurityOpt'),
    cgroupparent: ofSteps('CgroupParent'),
    isolation: ofSteps('Isolation'),
    ulimits: ofSteps('Ulimits'),
    entitlements: ofBuild('entitlements'),
    session: free("of BuildKit's clients, who are served on connections of their own"),
    buildid: free('a name for cancelling, which closing the connection does'),
  },
  'build prune': {
    'keep-storage': BYTES,
    'reserved-space': BYTES,
    'max-used-space': BYTES,
    'min-free-space': BYTES,
    all: free("the job's own cache"),
    filters: formed('cache prune filters', "a map of known names; they choose among the job's own"),
  },
};
