import type { IntendedDifference } from './intended.ts';

/** Where builds are answered otherwise on purpose, mostly as newer builders do. */
export const INTENDED_FOR_BUILDS: readonly IntendedDifference[] = [
  {
    asks: ['POST /build?*'],
    at: ['message'],
    berth: [
      '"dockerfile parse error on line *',
      '"file with no instructions"',
      '"target stage * could not be found"',
      '"error reading *',
      '"invalid version *',
      '"invalid platform: *',
    ],
    about: 'build: messages',
    why: 'the words of newer builders',
  },
  {
    asks: ['POST /build?*target=*'],
    at: ['status', '*.aux.ID'],
    berth: ['200', '"{built11}"'],
    about: 'build: target',
    why: 'a stage can be named by its number, as BuildKit has it',
  },
  {
    asks: ['POST /build?memory=much*', 'POST /build', 'POST /build?networkmode=container:nope*'],
    at: ['status'],
    dockerd: '200',
    berth: '40*',
    about: 'build: status',
    why: 'what cannot be read or joined is refused before the first byte',
  },
  {
    asks: ['POST /build?*remote=*'],
    at: ['message'],
    berth: '"build remote *',
    about: 'build: remote',
    why: 'the daemon fetches no context from where it runs',
  },
  {
    asks: ['POST /build?*'],
    at: ['*.error', '*.errorDetail.message'],
    dockerd: '*127.0.0.1:1/*',
    berth: '"invalid from flag value 127.0.0.1:1/nope: *',
    about: 'build: FROM',
    why: 'the registry is asked by another way, whose words say so',
  },
  {
    asks: ['POST /build/cancel*'],
    at: ['status', 'message'],
    berth: ['501', '"cancelling *'],
    about: 'build: cancel',
    why: 'a build ends with its connection',
  },
  {
    asks: ['POST /build/prune*'],
    at: ['CachesDeleted'],
    dockerd: 'null',
    about: 'build: prune',
    why: 'there is one cache, for builds with BuildKit and without',
  },
  {
    asks: [
      'GET /events* filters {"type":["image"]}',
      'GET /events* filters {"type":["image"],"label":["made"]}',
      'GET /events* filters {"image":["{committed}"]}',
    ],
    at: ['body'],
    berth: '*"create"*',
    about: 'events of images',
    why: 'newer: a committed image is told as created',
  },
];
