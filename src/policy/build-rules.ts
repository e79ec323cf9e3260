import type { BuildRequest } from '../wire/build-request.ts';
import { bad, deny, free, quote, unless, type Finding, type RuleTable } from './rule.ts';

const MAX_TAGS = 256;
const MAX_NAMES = 1024;
const PLATFORM = /^[A-Za-z0-9_.-]{1,64}(?:\/[A-Za-z0-9_.-]{1,64}){0,2}$/;
const INSIDE = 'only the steps and the image see it';

function checkDockerfile(path: string): readonly Finding[] {
  return unless(
    path !== '' && !path.includes('\0') && path.length <= 4096,
    bad(`Cannot locate specified Dockerfile: ${quote(path)}`),
  );
}

function checkNames(what: string, names: readonly string[]): readonly Finding[] {
  return [
    ...unless(names.length <= MAX_NAMES, bad(`too many ${what}: at most ${MAX_NAMES}`)),
    ...names.flatMap((name) =>
      unless(name !== '' && !/[=\0\n]/.test(name), bad(`invalid ${what} name ${quote(name)}`)),
    ),
  ];
}

/** The gate's table for `POST /build`: one row for every field that is decoded. */
export const BUILD_RULES: RuleTable<BuildRequest, object> = {
  dockerfile: {
    verdict: 'constrain',
    reason: 'it is looked up in the context, and nowhere else',
    check: checkDockerfile,
  },
  remote: {
    verdict: 'deny',
    reason: "the daemon would fetch it from where it runs, which is not the job's place in the network",
    safer: 'fetch it in the job and send it as the context: docker build - < context.tar',
    check: (remote) => (remote === '' || remote === 'client-session' ? [] : [deny(remote)]),
  },
  tags: {
    verdict: 'bad',
    reason: "names are the job's own; at most 256 at once",
    check: (tags) => unless(tags.length <= MAX_TAGS, bad(`too many tags: at most ${MAX_TAGS}`)),
  },
  buildArgs: {
    verdict: 'bad',
    reason: 'only the steps see them; each needs a name',
    check: (args) => checkNames('build argument', Object.keys(args)),
  },
  labels: {
    verdict: 'bad',
    reason: "kept in the image's configuration; none reaches containerd",
    check: (labels) => unless(Object.keys(labels).length <= MAX_NAMES, bad('too many labels')),
  },
  target: free('the name of a stage'),
  cacheFrom: free("names of images; the job's own are looked at"),
  noCache: free(INSIDE),
  pull: free('a pull is what the job may do anyway'),
  remove: free('what becomes of containers of the build'),
  forceRemove: free('what becomes of containers of the build'),
  squash: {
    verdict: 'bad',
    reason: 'an experimental feature of dockerd that went away',
    safer: 'use a second stage: FROM scratch and COPY --from=0 / /',
    check: (isAsked) =>
      unless(!isAsked, {
        kind: 'unsupported',
        message: 'squash is not supported: use a second stage, FROM scratch and COPY --from=0 / /',
      }),
  },
  platform: {
    verdict: 'bad',
    reason: 'only the platform of the machine can run steps',
    check: (platform) =>
      unless(
        platform === '' || PLATFORM.test(platform),
        bad(`invalid platform: ${quote(platform)} is an invalid component`),
      ),
  },
  version: {
    verdict: 'bad',
    reason: 'both builders of dockerd are served by the same one',
    check: (version) =>
      unless(
        version === '' || version === '1' || version === '2',
        bad(`invalid version ${quote(version)}: must be 1 or 2`),
      ),
  },
  outputs: {
    verdict: 'deny',
    reason: 'the daemon would write it where it runs',
    safer: 'docker create the image and docker cp out of it',
    check: (outputs) => (outputs === '' || outputs === '[]' || outputs === 'null' ? [] : [deny(outputs)]),
  },
  entitlements: {
    verdict: 'deny',
    reason: 'a step with it is root on the machine that runs it, or in its network',
    safer: 'leave it out: a step has what a container has',
    check: (entitlements) => entitlements.map((one) => deny(one)),
  },
  container: {
    verdict: 'constrain',
    reason: 'each step is a container, and goes through the tables of create with these values',
  },
};
