// Preloaded into an agent: writes to UNTIL_ANSWER which modules of the bundle ran before the API had given its first answer.
const { writeFileSync } = require('node:fs');
const { ServerResponse } = require('node:http');
const { Session } = require('node:inspector');

const session = new Session();
session.connect();
session.post('Profiler.enable');
session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
const end = Reflect.get(ServerResponse.prototype, 'end');
ServerResponse.prototype.end = function (...given) {
  ServerResponse.prototype.end = end;
  session.post('Profiler.takePreciseCoverage', (error, coverage) => {
    if (error) throw error;
    const ran = coverage.result
      .flatMap(({ functions }) => functions)
      .filter(({ functionName, ranges }) => /^\w+:/.test(functionName) && ranges[0].count > 0)
      .map(({ functionName }) => functionName.replace(/^\w+:/, ''));
    writeFileSync(process.env.UNTIL_ANSWER, JSON.stringify([...new Set(ran)].sort()));
  });
  return Reflect.apply(end, this, given);
};
