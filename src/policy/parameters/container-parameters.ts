import { formed, notServed, terminalSide, type ParameterTables } from '../parameter-rule.ts';
import { free } from '../rule.ts';

type Names =
  | 'container list'
  | 'container create'
  | 'container inspect'
  | 'container top'
  | 'container logs'
  | 'container stats'
  | 'container start'
  | 'container stop'
  | 'container restart'
  | 'container kill'
  | 'container rename'
  | 'container resize'
  | 'container wait'
  | 'container attach'
  | 'container delete'
  | 'container prune'
  | 'archive read'
  | 'archive write'
  | 'exec resize'
  | 'commit';

const SHOWN = free("what is shown of the job's own");
const STREAMS = free('streams of the job itself');
const MAP_REASON = "a map of known names; they choose among the job's own";
const SIGNAL = formed('signal', 'must be a signal; it is sent to the first process of the container');
const STOP = {
  t: formed('integer', 'seconds, an integer; the end of the job ends what waits longer'),
  signal: SIGNAL,
};
const NAME_REASON = "Docker's characters for names, unused in the job; no name of a file or a device here";
const PATH = formed(
  'path in a container',
  "followed inside the container's own files, and never by the machine's root",
);
const SIZE = { h: terminalSide('height'), w: terminalSide('width') };
const OLD = free('of API 1.24, and read by no daemon since: the filters of the same name are');

/** The rows of the queries about containers and their processes. */
export const containerParameters: ParameterTables<Names> = {
  'container list': {
    all: SHOWN,
    limit: formed('integer', 'an integer; 0 is all'),
    since: OLD,
    before: OLD,
    size: SHOWN,
    filters: formed('container filters', MAP_REASON),
  },
  'container create': {
    name: formed('container name', NAME_REASON),
    platform: formed('platform', "the image's; only the machine's own can run"),
  },
  'container inspect': { size: SHOWN },
  'container top': {
    ps_args: formed(
      'options of ps',
      "known columns and formats of ps; which processes are shown is never the client's choice",
    ),
  },
  'container logs': {
    details: SHOWN,
    follow: SHOWN,
    stdout: SHOWN,
    stderr: SHOWN,
    since: formed('time of logs', 'a time'),
    until: formed('time of logs', 'a time'),
    timestamps: SHOWN,
    tail: free('what is no number means all'),
  },
  'container stats': { stream: SHOWN, 'one-shot': SHOWN },
  'container start': {
    detachKeys: free('read from the attach alone'),
    checkpoint: notServed('checkpoints are not supported by this daemon'),
    'checkpoint-dir': notServed('checkpoints are not supported by this daemon'),
  },
  'container stop': STOP,
  'container restart': STOP,
  'container kill': { signal: SIGNAL },
  'container rename': { name: formed('new container name', NAME_REASON) },
  'container resize': SIZE,
  'container wait': { condition: formed('condition of a wait', 'one of three words') },
  'container attach': {
    detachKeys: formed('detach keys', 'keys by their names'),
    logs: STREAMS,
    stream: STREAMS,
    stdin: STREAMS,
    stdout: STREAMS,
    stderr: STREAMS,
  },
  'container delete': {
    v: free("the container's anonymous volumes are the job's own"),
    force: free("the job's own container"),
    link: free("a link between the job's own containers"),
  },
  'container prune': { filters: formed('prune filters', MAP_REASON) },
  'archive read': { path: PATH },
  'archive write': {
    path: PATH,
    noOverwriteDirNonDir: free('narrows what is overwritten'),
    copyUIDGID: free("owners inside the container's own files"),
  },
  'exec resize': SIZE,
  commit: {
    container: formed('container reference', "one of the job's own containers"),
    repo: formed('name of a new image', 'an image reference; it names an image of this job alone'),
    tag: formed('name of a new image', 'a tag; it names an image of this job alone'),
    comment: free("text of the image's history"),
    author: free("text of the image's history"),
    pause: free("the job's own container"),
    changes: formed(
      'changes',
      "instructions of a Dockerfile that change the image's configuration, and run nothing",
    ),
  },
};
