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
const FILTERS = formed("a map of known names; they choose among the job's own");
const REPOSITORY = formed('an image reference; it names an image of this job alone');
const TAG = formed('a tag; it names an image of this job alone');
const PLATFORM = formed("a platform; it chooses among the image's");

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
    filters: FILTERS,
    filter: formed('a reference; the filter of that name, before API 1.41'),
    digests: SHOWN,
    'shared-size': SHOWN,
    manifests: SHOWN,
    identity: free('of newer versions of the API than are served'),
  },
  'image create': {
    fromImage: formed("an image reference; whom berth asks for it is the operator's setting"),
    fromSrc,
    repo: REPOSITORY,
    tag: formed('a tag or a digest'),
    platform: PLATFORM,
    message: free("text of the image's history"),
    changes: formed("instructions of a Dockerfile that change the image's configuration, and run nothing"),
  },
  'image inspect': { manifests: SHOWN, platform: PLATFORM },
  'image history': { platform: PLATFORM },
  'image save': { names: formed("the job's own images"), platform: PLATFORM },
  'image load': { quiet: SHOWN, platform: PLATFORM },
  'image tag': { repo: REPOSITORY, tag: TAG },
  'image push': { tag: TAG, platform: PLATFORM },
  'image delete': {
    force: free("the job's own image; layers that others use stay"),
    noprune: free("the job's own images"),
    platforms: formed('platforms; they choose among the images of one name of this job'),
  },
  'image prune': { filters: FILTERS },
};
