import { formed, type ParameterRule, type ParameterTables } from '../parameter-rule.ts';
import { bad, free, quote, unless } from '../rule.ts';

type Names =
  | 'network list'
  | 'network inspect'
  | 'network prune'
  | 'volume list'
  | 'volume delete'
  | 'volume prune'
  | 'events'
  | 'disk usage'
  | 'plugin list';

const MAP_REASON = "a map of known names; they choose among the job's own";
const TIME = formed('time of events', 'a time');
const BOOLEAN = /^(?:|1|0|[tTfF]|true|TRUE|True|false|FALSE|False)$/;

const verbose: ParameterRule = {
  verdict: 'bad',
  reason: "details of swarm's tasks, of which there are none; must be a boolean in Go's words",
  check: (text) =>
    unless(
      BOOLEAN.test(text),
      bad(
        `invalid value for verbose: ${text.slice(0, 200)}: strconv.ParseBool: parsing ${quote(text)}: invalid syntax`,
      ),
    ),
};

/** The rows of the queries about networks, volumes and the engine itself. */
export const systemParameters: ParameterTables<Names> = {
  'network list': { filters: formed('network filters', MAP_REASON) },
  'network inspect': { verbose, scope: free("chooses among the job's own") },
  'network prune': { filters: formed('prune filters', MAP_REASON) },
  'volume list': { filters: formed('volume filters', MAP_REASON) },
  'volume delete': { force: free("the job's own volume, and only one that nothing uses") },
  'volume prune': { filters: formed('volume prune filters', MAP_REASON) },
  events: { since: TIME, until: TIME, filters: formed('event filters', MAP_REASON) },
  'disk usage': {
    type: formed('kinds of things', 'known kinds of things'),
    verbose: free('of newer versions of the API than are served'),
  },
  'plugin list': { filters: free('there are no plugins to choose from') },
};
