#!/usr/bin/env node
// A stand-in for hdc in front of the virtual board: hands its words to the lab and prints what comes back. As with the
// real one the exit status is 0 whatever happened (openharmony/developtools_hdc src/host/main.cpp, 6.0).
// Usage: main.mjs SOCKET [-t KEY] list targets | tconn ADDRESS | shell COMMAND | file send LOCAL REMOTE | target boot
import { createConnection } from 'node:net';

const [socket, ...words] = process.argv.slice(2);
const args = words[0] === '-t' ? words.slice(2) : words;
const lab = createConnection(socket);
lab.on('error', () => console.log('[Fail]Connect server failed'));
lab.end(JSON.stringify(args));
lab.pipe(process.stdout);
