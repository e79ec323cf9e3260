import { describe, expect, test } from 'vitest';
import { ask, useJob } from '../support/e2e-job.ts';

// Links, names that change, and what a start tells of networks, with the docker CLI on real containers.

const job = useJob();
const docker = (...args: readonly string[]): Promise<string> => ask(job.berth, ...args);
const sleeper = (name: string, ...args: readonly string[]): Promise<string> =>
  docker('run', '-d', '--name', name, ...args, 'busybox', 'sleep', '1000');
const inside = (name: string, script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);
const lookup = (name: string): string => `nslookup ${name} 127.0.0.11 2>&1 | sed -n 's/^Address: //p'`;
const addressOf = (name: string, network = 'bridge'): Promise<string> =>
  docker('inspect', '-f', `{{.NetworkSettings.Networks.${network}.IPAddress}}`, name);
const fails = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await job.berth.docker(args);
  expect(code).not.toBe(0);
  return stderr.trim();
};

describe('links', () => {
  test('of the default bridge are lines of hosts and variables, follow a restart, and can be taken away', async () => {
    await sleeper('db', '-h', 'dbhost', '-e', 'SECRET=x', '--expose', '5432');
    await sleeper('web', '--link', 'db:the-db', '--link', 'db');
    const first = await addressOf('db');
    expect(await inside('web', 'cat /etc/hosts')).toContain(
      `${first}\tthe-db dbhost db\n${first}\tdb dbhost\n`,
    );
    expect(await inside('web', 'echo $THE_DB_PORT $THE_DB_NAME $DB_ENV_SECRET')).toBe(
      `tcp://${first}:5432 /web/the-db x`,
    );
    expect(await inside('web', 'ping -c 1 -W 2 the-db >/dev/null && echo answered')).toBe('answered');
    expect(await docker('inspect', '-f', '{{json .HostConfig.Links}}', 'web')).toBe(
      '["/db:/web/the-db","/db:/web/db"]',
    );
    expect(await docker('ps', '--no-trunc', '--filter', 'name=db', '--format', '{{.Names}}')).toBe(
      'db,web/the-db,web/db',
    );
    await docker('stop', '-t', '0', 'db');
    await sleeper('taker');
    await docker('start', 'db');
    const second = await addressOf('db');
    await expect.poll(() => inside('web', 'cat /etc/hosts')).toContain(`${second}\tthe-db dbhost db`);
    await docker('rm', '--link', 'web/the-db');
    expect(await fails('rm', '--link', 'web/the-db')).toContain('No such container: web/the-db');
    expect(await docker('inspect', '-f', '{{json .HostConfig.Links}}', 'web')).toBe('["/db:/web/db"]');
    await docker('restart', '-t', '0', 'web');
    expect(await inside('web', 'cat /etc/hosts; env')).not.toMatch(/the-db|THE_DB/);
    await docker('stop', '-t', '0', 'db', 'web');
    expect(await fails('start', 'web')).toContain('Cannot link to a non running container: /db AS /web/db');
    expect(await fails('create', '--link', 'nope:x', 'busybox')).toContain(
      'could not get container for nope: No such container: nope',
    );
    await docker('rm', '-f', 'db', 'web', 'taker');
  });

  test("of a user's network are names of one container alone; a new name is known at once, the old one no more", async () => {
    await docker('network', 'create', 'linked');
    await sleeper('s1', '--network', 'linked');
    await sleeper('s2', '--network', 'linked', '--link', 's1:mine');
    await sleeper('s3', '--network', 'linked');
    const address = await addressOf('s1', 'linked');
    expect(await inside('s2', lookup('mine'))).toBe(address);
    expect(await inside('s3', lookup('mine'))).toBe('');
    expect(await docker('inspect', '-f', '{{json .NetworkSettings.Networks.linked.Links}}', 's2')).toBe(
      '["s1:mine"]',
    );
    await docker('rename', 's1', 's9');
    expect(await inside('s3', lookup('s9'))).toBe(address);
    expect(await inside('s3', lookup('s1'))).toBe('');
    await docker('rm', '-f', 's9', 's2', 's3');
    await docker('network', 'rm', 'linked');
  });
});

describe('a start', () => {
  test('tells of each network it joins, and an end of each it leaves', async () => {
    const since = String(Date.now() / 1000);
    await docker('network', 'create', 'told');
    const id = await docker('create', '--name', 'member', '--network', 'told', 'busybox', 'true');
    await docker('start', '-a', 'member');
    await docker('rm', 'member');
    const format = '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.container}}';
    const events = await docker(
      ...['events', '--since', since, '--until', String(Date.now() / 1000), '--format', format],
    );
    expect(events.split('\n').filter((line) => !line.includes('attach'))).toEqual([
      'network create told <no value>',
      'container create member <no value>',
      `network connect told ${id}`,
      'container start member <no value>',
      'container die member <no value>',
      `network disconnect told ${id}`,
      'container destroy member <no value>',
    ]);
    await docker('network', 'rm', 'told');
  });

  test('without its network is refused by name', async () => {
    await docker('network', 'create', 'brief');
    await docker('create', '--name', 'orphan', '--network', 'brief', 'busybox', 'true');
    await docker('network', 'rm', 'brief');
    expect(await fails('start', 'orphan')).toContain('network brief not found');
    await docker('rm', 'orphan');
  });

  test('names of networks may have blanks', async () => {
    await docker('network', 'create', 'two words');
    await sleeper('blank', '--network', 'two words');
    expect(await docker('network', 'inspect', '-f', '{{len .Containers}}', 'two words')).toBe('1');
    await docker('rm', '-f', 'blank');
    await docker('network', 'rm', 'two words');
  });
});
