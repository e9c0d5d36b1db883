/** What a Go program tells about itself without being started. */
export interface RecordedVersion {
  readonly version: string | null;
  /** Why there is none, or how it was found. */
  readonly note: string;
}

/**
 * Looks for KubeEdge's version in the bytes of edgecore: the value the linker was told to set
 * (kubeedge/kubeedge hack/lib/golang.sh: `pkg/version.gitVersion=`), which Go keeps in its build information unless
 * the build trimmed it, or the main module's own version. From v1.12 on edgecore does not print it when asked.
 */
export function recordedVersion(bytes: Buffer): RecordedVersion {
  if (bytes.includes('UPX!')) return { version: null, note: 'packed with UPX, its version cannot be read' };
  const told = after(bytes, 'gitVersion=', /^v(\d+\.\d+\.\d+[-+.\w]*)/);
  if (told !== null) return { version: told, note: 'from the build information' };
  const module = after(bytes, 'mod\tgithub.com/kubeedge/kubeedge\t', /^v(\d+\.\d+\.\d+[-+.\w]*)/);
  if (module !== null) return { version: module, note: 'from the module information' };
  return { version: null, note: 'no version is recorded in it' };
}

/** The first match that directly follows a marker anywhere in the bytes. */
function after(bytes: Buffer, marker: string, pattern: RegExp): string | null {
  for (let at = bytes.indexOf(marker); at !== -1; at = bytes.indexOf(marker, at + 1)) {
    const start = at + marker.length;
    const match = pattern.exec(bytes.toString('latin1', start, start + 80));
    if (match?.[1] !== undefined) return match[1];
  }
  return null;
}
