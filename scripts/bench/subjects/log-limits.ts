/** Size and number of the log files that every capturing supervisor keeps here, the agent included. */
export const logFileBytes = 10_000_000;
export const logFiles = 5;
