/** Severity letter of klog: info, warning, error, fatal. */
export type Severity = 'I' | 'W' | 'E' | 'F';

/**
 * Writes one line as klog does: `I0823 12:34:56.789012    1234 server.go:102] text`. The letter, the file and the text
 * are what a supervisor reads; edgecore writes to standard error only.
 */
export function klog(severity: Severity, file: string, text: string): void {
  const now = new Date();
  const pad = (value: number, width = 2) => String(value).padStart(width, '0');
  const stamp = `${pad(now.getMonth() + 1)}${pad(now.getDate())} ${pad(now.getHours())}:${pad(now.getMinutes())}:${pad(now.getSeconds())}.${pad(now.getMilliseconds(), 3)}000`;
  process.stderr.write(`${severity}${stamp} ${String(process.pid).padStart(7)} ${file}] ${text}\n`);
}

/** Ends the process as `klog.Exit` does: an F line, then exit code 1 (255 for `klog.Fatal`). */
export function exitWith(file: string, text: string, code = 1): never {
  klog('F', file, text);
  process.exit(code);
}

/** Ends the process as a Go panic in a goroutine does: exit code 2 and a stack. */
export function panic(text: string): never {
  process.stderr.write(
    `panic: ${text}\n\ngoroutine 98 [running]:\n` +
      'github.com/kubeedge/kubeedge/edge/pkg/edgehub/certificate.(*CertManager).Start(0xc000a10700)\n' +
      '\t/work/edge/pkg/edgehub/certificate/certmanager.go:93 +0x1f4\n',
  );
  process.exit(2);
}
