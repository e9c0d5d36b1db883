// Lives through days of reports with a fast clock and prints what an hour of each cost, as JSON.
// Usage: report-days
import { crashLoopHour, outageDay, quietDay } from '../fakes/report-day.ts';

const [quiet, outage, crashLoop] = [await quietDay(), await outageDay(), await crashLoopHour()];
process.stdout.write(`${JSON.stringify({ quiet, outage, crashLoop })}\n`);
