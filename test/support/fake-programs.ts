import { runUntilSignal, type FakeProcess, type FakeProgram } from './fake-containerd-process.ts';

type Verb = (process: FakeProcess, args: readonly string[]) => Promise<number>;

async function copyInput(process: FakeProcess): Promise<void> {
  for await (const data of process.stdin ?? []) await process.stdout(data as Buffer);
}

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['exit', async (_process, [code = '0']) => Number(code)],
  [
    'print',
    async (process, [out = '', err = '', code = '0']) => {
      if (out !== '') await process.stdout(out);
      if (err !== '') await process.stderr(err);
      return Number(code);
    },
  ],
  [
    'cat',
    async (process) => {
      await copyInput(process);
      await process.stdout('|end');
      return 7;
    },
  ],
  [
    // Prints each signal it gets; SIGTERM (15) ends it with 3.
    'signals',
    async (process) => {
      for await (const signal of process.signals) {
        await process.stdout(`${signal}\n`);
        if (signal === 15) return 3;
      }
      return 0;
    },
  ],
  ['deaf', () => new Promise<number>(() => undefined)],
  [
    'flood',
    async (process, [mebibytes = '1']) => {
      const block = Buffer.alloc(1 << 20, 'x');
      for (let sent = 0; sent < Number(mebibytes); sent += 1) await process.stdout(block);
      return 0;
    },
  ],
]);

/** Does what its command line says: `exit N`, `print OUT ERR N`, `cat`, `signals`, `deaf`, `flood MIB`; anything else runs until a signal. */
export const scriptedProgram: FakeProgram = (process) => {
  const [name = '', ...args] = process.args;
  const verb = VERBS.get(name);
  return verb ? verb(process, args) : runUntilSignal(process);
};
