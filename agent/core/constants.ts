/** Name of the product in paths, in the init service and in messages. */
export const productName = 'oh-edge-agent';

/** Before this moment (2024-01-01) no board was built, so a clock that shows it was never set; milliseconds. */
export const earliestTimeMs = 1_704_067_200_000;

/** Read-only directory of the product in the system image. */
export const productDir = '/system/opt/oh-edge-agent';

/** Writable home of the product; /data is the only persistent writable place of an OpenHarmony board. */
export const homeDir = '/data/oh-edge-agent';

/** sysexits(3) EX_TEMPFAIL: init starts the service again whatever the code; people see that it was no stop. */
export const startedAnew = 75;
