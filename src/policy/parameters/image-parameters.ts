import { formed, type ParameterRule, type ParameterTables } from '../parameter-rule.ts';
import { deny, free, unless } from '../rule.ts';

type Names =
  | 'image list'
  | 'image create'
  | 'image inspect'
  | 'image history'
  | 'image save'
  | 'image load'
  | 'image tag'
  | 'image push'
  | 'image delete'
  | 'image prune';

const SHOWN = free("what is shown of the job's own");
const MAP_REASON = "a map of known names; they choose among the job's own";
const NAME_REASON = 'an image reference; it names an image of this job alone';
const TAG_REASON = 'a tag; it names an image of this job alone';
const PLATFORM_REASON = "a platform; it chooses among the image's";
const PLATFORM = formed('platform object', PLATFORM_REASON);

const fromSrc: ParameterRule = {
  verdict: 'deny',
  reason: "the daemon would fetch it from where it runs, which is not the job's place in the network",
  safer: 'fetch it in the job and pipe it to docker import -',
  check: (source) => unless(source === '' || source === '-', deny(source)),
};

/** The rows of the queries about images. */
export const imageParameters: ParameterTables<Names> = {
  'image list': {
    all: SHOWN,
    filters: formed('image filters', MAP_REASON),
    filter: formed('pattern of references', 'a reference; the filter of that name, before API 1.41'),
    digests: SHOWN,
    'shared-size': SHOWN,
    manifests: SHOWN,
    identity: free('of newer versions of the API than are served'),
  },
  'image create': {
    fromImage: formed(
      'reference of a pull',
      "an image reference; whom berth asks for it is the operator's setting",
    ),
    fromSrc,
    repo: formed('name of a new image', NAME_REASON),
    tag: formed('reference of a pull', 'a tag or a digest'),
    platform: formed('platform', PLATFORM_REASON),
    message: free("text of the image's history"),
    changes: formed(
      'changes',
      "instructions of a Dockerfile that change the image's configuration, and run nothing",
    ),
  },
  'image inspect': { manifests: SHOWN, platform: PLATFORM },
  'image history': { platform: PLATFORM },
  'image save': { names: formed('references of images', "the job's own images"), platform: PLATFORM },
  'image load': { quiet: SHOWN, platform: PLATFORM },
  'image tag': {
    repo: formed('tag of an image', NAME_REASON),
    tag: formed('tag of an image', TAG_REASON),
  },
  'image push': { tag: formed('tag of a push', TAG_REASON), platform: PLATFORM },
  'image delete': {
    force: free("the job's own image; layers that others use stay"),
    noprune: free("the job's own images"),
    platforms: formed('platform objects', 'platforms; they choose among the images of one name of this job'),
  },
  'image prune': { filters: formed('image prune filters', MAP_REASON) },
};
