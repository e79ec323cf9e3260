import { EngineError } from '../../errors.ts';

/** A step whose command ended with a code other than 0: the build fails with it. */
export class StepFailure extends EngineError {
  readonly exitCode: number;

  constructor(argv: readonly string[], exitCode: number) {
    super('InvalidArgument', `The command '${argv.join(' ')}' returned a non-zero code: ${exitCode}`);
    this.name = 'StepFailure';
    this.exitCode = exitCode;
  }
}
