import type { ImageProgress } from '../../wire/image-progress.ts';
import { sendJsonStream } from '../http/json-stream.ts';
import type { RouteContext } from '../http/route.ts';
import { withBar } from './progress-bar.ts';

const MAX_WAITING_LINES = 256;

/** Answers with the lines that the work reports; the answer begins with the first of them. */
export async function answerWithProgress(
  context: RouteContext,
  perform: (report: (progress: ImageProgress) => void) => Promise<void>,
): Promise<void> {
  const lines = new ProgressLines();
  const work = perform((progress) => {
    lines.push(progress);
  }).then(
    () => {
      lines.end(undefined);
    },
    (error: unknown) => {
      lines.end({ error });
    },
  );
  try {
    await sendJsonStream(context, lines);
  } finally {
    await work;
  }
}

/** Lines on their way to a client that may be slower than the work: it loses counts in between, never a step. */
class ProgressLines implements AsyncIterable<ImageProgress> {
  readonly #waiting: ImageProgress[] = [];
  #ended: { readonly failure: { readonly error: unknown } | undefined } | undefined;
  #wake: () => void = () => undefined;

  push(progress: ImageProgress): void {
    const isCount = progress.progressDetail?.current !== undefined;
    if (isCount && this.#waiting.length >= MAX_WAITING_LINES) return;
    this.#waiting.push(progress);
    this.#wake();
  }

  end(failure: { readonly error: unknown } | undefined): void {
    this.#ended = { failure };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ImageProgress> {
    for (;;) {
      const progress = this.#waiting.shift();
      if (progress) yield withBar(progress);
      else if (this.#ended?.failure) throw this.#ended.failure.error;
      else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
