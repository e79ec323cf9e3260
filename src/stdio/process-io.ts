import { closeSync } from 'node:fs';

import type { Input } from './input.ts';
import { createOutputPump, type OutputPump } from './output-pump.ts';
import type { SinkHub } from './sink-hub.ts';
import type { ProcessIo, StreamName } from './types.ts';

/** The opened FIFOs of one process. */
export interface ProcessIoParts {
  readonly paths: ProcessIo['paths'];
  readonly input: Input;
  readonly hub: SinkHub;
  /** Non-blocking read ends. */
  readonly outputs: readonly { readonly stream: StreamName; readonly fd: number }[];
  /** Write ends of ours, without which the outputs would end before the shim opens them. */
  readonly keepAliveFds: readonly number[];
  /** Removes the FIFOs. */
  readonly remove: () => Promise<void>;
}

/** Joins the parts; it owns all descriptors from here on. */
export function createProcessIo(parts: ProcessIoParts): ProcessIo {
  const { hub, input, paths } = parts;
  const pumps: readonly OutputPump[] = parts.outputs.map(({ stream, fd }) =>
    createOutputPump({ fd, deliver: (data) => hub.deliver(stream, data) }),
  );
  const start = (): void => pumps.forEach((pump) => pump.start());
  const drained = Promise.all(pumps.map((pump) => pump.ended)).then(() => hub.end());
  let keepAliveFds = parts.keepAliveFds;
  const dropKeepAlive = (): void => {
    keepAliveFds.forEach((fd) => closeSync(fd));
    keepAliveFds = [];
  };
  let disposed: Promise<void> | undefined;
  const dispose = async (): Promise<void> => {
    input.destroy();
    dropKeepAlive();
    pumps.forEach((pump) => pump.stop());
    await drained;
    await parts.remove();
  };
  return {
    paths,
    drained,
    addSink(sink) {
      const remove = hub.add(sink);
      start();
      return remove;
    },
    writeStdin: (data) => input.write(data),
    closeStdin: () => input.close(),
    taskCreated() {
      input.ready();
      dropKeepAlive();
      start();
    },
    async drainWithin(timeoutMs) {
      if (await settlesWithin(drained, timeoutMs)) return true;
      await Promise.all(pumps.map((pump) => pump.cut()));
      await drained;
      return false;
    },
    dispose: () => (disposed ??= dispose()),
  };
}

async function settlesWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([promise.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
