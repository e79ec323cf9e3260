import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createDeferred } from './deferred.ts';
import { createLastingRace } from './lasting-race.ts';

const never = new Promise<never>(() => undefined);

describe('a lasting race', () => {
  test('settles like the promise while there is no end', async () => {
    const race = createLastingRace<string>();
    expect(await race.run(Promise.resolve(1))).toBe(1);
    await expect(race.run(Promise.reject(new Error('own')))).rejects.toThrow('own');
  });

  test('settles what runs, and what comes later, as its end', async () => {
    const won = createLastingRace<string>();
    const lost = createLastingRace();
    const early = [won.run(never), lost.run(never)];
    won.win('over');
    lost.lose(new Error('over'));
    expect(await early[0]).toBe('over');
    await expect(early[1]).rejects.toThrow('over');
    expect(await won.run(never)).toBe('over');
    await expect(lost.run(Promise.resolve(1))).rejects.toThrow('over');
  });

  test('keeps its first end', async () => {
    const race = createLastingRace<number>();
    race.win(1);
    race.win(2);
    race.lose(new Error('late'));
    expect(await race.run(never)).toBe(1);
  });

  test('keeps nothing of what has run', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const race = createLastingRace();
    const bytesAfter = async (count: number): Promise<number> => {
      for (let round = 0; round < count; round += 1) {
        const turn = createDeferred<Buffer>();
        turn.resolve(Buffer.alloc(16));
        await race.run(turn.promise);
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await bytesAfter(1_000);
    const rounds = 50_000;
    expect((await bytesAfter(rounds)) - before).toBeLessThan(rounds * 20);
  });
});
