// Stays until a signal ends it. With `deaf` in argv[2] it ignores SIGTERM; it prints `up` when it is ready for signals.
import { writeSync } from 'node:fs';

if (process.argv[2] === 'deaf') process.on('SIGTERM', () => writeSync(1, 'ignored\n'));
writeSync(1, 'up\n');
setInterval(() => undefined, 1_000);
