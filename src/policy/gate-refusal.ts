import { EngineError } from '../errors.ts';

/** A refusal whose decision has been told already; whoever answers the request need not do it again. */
export class GateRefusal extends EngineError {}
