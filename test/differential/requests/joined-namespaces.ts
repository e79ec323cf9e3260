import type { Request, RequestTable } from '../request.ts';

const start = (name: string, HostConfig: object, shows: 'PidMode' | 'IpcMode'): readonly Request[] => [
  {
    ask: `POST /containers/create?name=${name}`,
    json: { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig },
    keep: { [name]: 'Id' },
  },
  { ask: `POST /containers/${name}/start?${shows}` },
  { ask: `GET /containers/${name}/json` },
  { ask: `GET /containers/${name}/top`, values: 'types' },
  { ask: `POST /containers/${name}/kill` },
  { ask: `POST /containers/${name}/wait` },
  { ask: `DELETE /containers/${name}?force=1` },
];

/** Containers that have namespaces of other ones. */
export const joinedNamespaces: RequestTable = {
  title: 'containers: namespaces of other containers',
  requests: [
    {
      ask: 'POST /containers/create?name=target',
      json: { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { IpcMode: 'shareable' } },
      keep: { target: 'Id' },
    },
    ...start('early', { PidMode: 'container:target' }, 'PidMode'),
    ...start('early', { IpcMode: 'container:target' }, 'IpcMode'),
    { ask: 'POST /containers/target/start' },
    ...start('joined', { PidMode: 'container:target' }, 'PidMode'),
    ...start('joined', { PidMode: 'container:{target}', Init: true }, 'PidMode'),
    ...start('joined', { IpcMode: 'container:target' }, 'IpcMode'),
    ...start('joined', { IpcMode: 'container:{target}', PidMode: 'container:target' }, 'IpcMode'),
    {
      ask: 'POST /containers/create?name=closed',
      json: { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { IpcMode: 'private' } },
      keep: { closed: 'Id' },
    },
    { ask: 'POST /containers/closed/start' },
    ...start('joined', { IpcMode: 'container:closed' }, 'IpcMode'),
    {
      ask: 'POST /containers/create?name=left',
      json: { Image: 'busybox', HostConfig: { PidMode: 'container:closed' } },
    },
    { ask: 'DELETE /containers/closed?force=1' },
    { ask: 'POST /containers/left/start' },
    { ask: 'DELETE /containers/left' },
    { ask: 'DELETE /containers/target?force=1' },
  ],
};
