// Says its last words on standard error and dies by the signal or the exit status in argv[2].
import { writeSync } from 'node:fs';

const how = process.argv[2] ?? '0';
writeSync(1, 'hello\n');
writeSync(2, `last words before ${how}\n`);
if (/^\d+$/.test(how)) process.exit(Number(how));
process.kill(process.pid, how);
setInterval(() => undefined, 1_000);
