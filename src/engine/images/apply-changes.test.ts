import { expect, test } from 'vitest';
import { NO_RUN_CONFIG } from '../../oci/image-config.ts';
import { applyChanges } from './apply-changes.ts';

const base = {
  ...NO_RUN_CONFIG,
  env: ['PATH=/bin', 'HOME=/root'],
  cmd: ['sh'],
  entrypoint: ['/init'],
  workingDir: '/srv',
};

test.each<[readonly string[], object]>([
  [['CMD ["a", "b"]'], { cmd: ['a', 'b'], entrypoint: ['/init'] }],
  [['CMD a b'], { cmd: ['/bin/sh', '-c', 'a b'] }],
  [['ENTRYPOINT ["x"]'], { entrypoint: ['x'], cmd: undefined }],
  [['CMD ["y"]', 'ENTRYPOINT ["x"]'], { entrypoint: ['x'], cmd: ['y'] }],
  [['ENV A=b HOME=/home', 'ENV C=$A'], { env: ['PATH=/bin', 'HOME=/home', 'A=b', 'C=b'] }],
  [['EXPOSE 80 53/udp'], { exposedPorts: ['53/udp', '80/tcp'] }],
  [['LABEL one="1 2" two=3'], { labels: { one: '1 2', two: '3' } }],
  [['USER 1:2', 'STOPSIGNAL SIGINT'], { user: '1:2', stopSignal: 'SIGINT' }],
  [['VOLUME /data /more'], { volumes: ['/data', '/more'] }],
  [['WORKDIR sub', 'WORKDIR ../other'], { workingDir: '/srv/other' }],
  [['onbuild run true'], { onBuild: ['run true'] }],
  [['HEALTHCHECK NONE'], { healthcheck: { test: ['NONE'] } }],
  [[], { cmd: ['sh'], env: ['PATH=/bin', 'HOME=/root'] }],
])('%j', (changes, expected) => {
  const { exposedPorts, ...changed } = applyChanges(base, changes);
  expect({ ...changed, exposedPorts: [...exposedPorts].sort() }).toMatchObject(expected);
});

test.each([
  ['FROM scratch', 'from is not a valid change command'],
  ['RUN true', 'run is not a valid change command'],
  ['COPY a b', 'copy is not a valid change command'],
  ['NonSense', 'nonsense is not a valid change command'],
  ['USER', 'USER requires exactly one argument'],
  ['', 'file with no instructions'],
  ['# nothing', 'file with no instructions'],
])('%j is refused', (change, words) => {
  expect(() => applyChanges(base, [change])).toThrow(new RegExp(`^${words}$`));
});
