import { archivePath } from '../api/containers/archive.ts';
import { commitSource } from '../api/containers/commit.ts';
import { logTime } from '../api/containers/logs.ts';
import { terminalSize } from '../api/containers/terminal-size.ts';
import { waitCondition } from '../api/containers/wait.ts';
import { isAtLeast, type ApiVersion } from '../api/http/api-version.ts';
import type { Query } from '../api/http/query.ts';
import { pulledImage } from '../api/images/create.ts';
import { allPlatforms, onePlatform, type PlatformEndpoint } from '../api/images/platform-parameter.ts';
import { eventTime } from '../api/system/events.ts';
import { cachePruneFilters } from '../engine/build/prune-cache.ts';
import { checkContainerName } from '../engine/containers/container-name.ts';
import { checkContainerFilters } from '../engine/containers/list-filters.ts';
import { parseDetachKeys } from '../engine/containers/parse-detach-keys.ts';
import { checkNewName } from '../engine/containers/rename-container.ts';
import { parseTopOptions } from '../engine/containers/top-options.ts';
import { pruneFilters } from '../engine/filters.ts';
import { applyChanges } from '../engine/images/apply-changes.ts';
import { checkImageFilters } from '../engine/images/list-images.ts';
import { checkReferencePattern } from '../engine/images/match-reference.ts';
import { parsePullReference } from '../engine/images/pull-reference.ts';
import { pushReference } from '../engine/images/push-reference.ts';
import { repoTagReference } from '../engine/images/repo-tag-reference.ts';
import { checkImageNames } from '../engine/images/save-images.ts';
import { parseNewTag } from '../engine/images/tag-image.ts';
import { checkNetworkFilters } from '../engine/networks/list-networks.ts';
import { checkUsageKinds } from '../engine/system/disk-usage.ts';
import { imagePruneFilters } from '../engine/system/prune-images.ts';
import { checkVolumeFilters } from '../engine/volumes/list-volumes.ts';
import { choosesAnonymous } from '../engine/volumes/prune-volumes.ts';
import { NO_RUN_CONFIG } from '../oci/image-config.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseSignal } from '../oci/signals.ts';
import type { ValueForm } from '../policy/parameter-rule.ts';
import type { EndpointName } from '../wire/endpoint-parameters.ts';

/** A query whose values are to be read. */
export interface AskedQuery {
  readonly endpoint: EndpointName;
  readonly query: Query<string>;
  readonly apiVersion: ApiVersion;
  /** The name in the path, where there is one. */
  readonly name: string;
}

type Reader = (asked: AskedQuery, parameter: string) => void;

/** A reader of the text of a parameter that asks for nothing where it is empty. */
function unlessEmpty(read: (text: string) => unknown): Reader {
  return ({ query }, parameter) => {
    const text = query.string(parameter);
    if (text !== '') read(text);
  };
}

/** Any platform will do: what the host is does not change which texts are none. */
const ANY_PLATFORM = { os: 'linux', architecture: 'amd64', variant: '' };
const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/**
 * The readers of the values that the gate's tables leave to them, by form: those that requests are served with. Each
 * throws as it does there.
 */
export const VALUE_FORMS: Readonly<Record<ValueForm, Reader>> = {
  integer: ({ query }, parameter) => query.int(parameter),
  signal: (asked, parameter) => {
    // A stop took none before.
    if (asked.endpoint === 'container kill' || isAtLeast(asked.apiVersion, '1.42'))
      unlessEmpty(parseSignal)(asked, parameter);
  },
  'time of logs': ({ query }, parameter) => logTime(query, parameter === 'since' ? 'since' : 'until'),
  'time of events': ({ query }, parameter) => eventTime(query, parameter === 'since' ? 'since' : 'until'),
  'container name': unlessEmpty(checkContainerName),
  'new container name': ({ query }, parameter) => {
    checkNewName(query.string(parameter));
  },
  'container reference': ({ query }) => commitSource(query),
  'path in a container': ({ query }) => archivePath(query),
  'options of ps': ({ query }, parameter) => parseTopOptions(query.string(parameter)),
  'condition of a wait': (asked) => waitCondition(asked),
  'detach keys': ({ query }, parameter) => parseDetachKeys(query.string(parameter)),
  'side of a terminal': ({ query }) => terminalSize(query),
  changes: ({ query }, parameter) => applyChanges(NO_RUN_CONFIG, query.list(parameter)),
  'name of a new image': ({ query }) => repoTagReference(query.string('repo'), query.string('tag')),
  'tag of a push': ({ query, name }) => pushReference(name, query.string('tag')),
  'tag of an image': ({ query }) => parseNewTag(query.string('repo'), query.string('tag')),
  'reference of a pull': ({ query }) => {
    const image = pulledImage(query);
    if (image !== '') parsePullReference(image, query.string('tag'));
    else repoTagReference(query.string('repo'), query.string('tag'));
  },
  'references of images': ({ query }, parameter) => {
    checkImageNames(query.list(parameter));
  },
  'pattern of references': unlessEmpty(checkReferencePattern),
  platform: (asked, parameter) => {
    const since = asked.endpoint === 'container create' ? '1.41' : '1.32';
    if (isAtLeast(asked.apiVersion, since))
      unlessEmpty((text) => parsePlatform(text, ANY_PLATFORM))(asked, parameter);
  },
  'platform object': (asked) => onePlatform(asked, asked.endpoint as PlatformEndpoint),
  'platform objects': (asked) => allPlatforms(asked),
  'kinds of things': ({ query, apiVersion }, parameter) => {
    if (isAtLeast(apiVersion, '1.42')) checkUsageKinds(query.list(parameter));
  },
  'container filters': ({ query }) => {
    checkContainerFilters(query.filters('filters'));
  },
  'image filters': ({ query }) => {
    checkImageFilters(query.filters('filters'), nowNs());
  },
  'network filters': ({ query }) => checkNetworkFilters(query.filters('filters')),
  'volume filters': ({ query }) => checkVolumeFilters(query.filters('filters')),
  'event filters': ({ query }) => query.filters('filters'),
  'prune filters': ({ query }) => pruneFilters(query.filters('filters'), nowNs()),
  'image prune filters': ({ query }) => imagePruneFilters(query.filters('filters'), nowNs()),
  'volume prune filters': ({ query, apiVersion }) =>
    choosesAnonymous(query.filters('filters'), isAtLeast(apiVersion, '1.42')),
  'cache prune filters': ({ query }) => cachePruneFilters(query.filters('filters'), nowNs()),
};
