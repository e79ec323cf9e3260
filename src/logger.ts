import { pino, type Logger } from 'pino';

export type { Logger };

/** JSON lines on stderr; credentials never reach a line, whatever object carries them. */
export function createLogger(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: [
          'auth',
          'password',
          'authorization',
          'identitytoken',
          'env',
          '*.auth',
          '*.password',
          '*.authorization',
          '*.env',
        ],
        remove: true,
      },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
