/** A containerd that is asked over its own socket. */
export interface ContainerdApi {
  /** Reports whether it lists its namespaces within the time, which goes through its metadata; false says nothing about why. */
  listsNamespaces(socketPath: string, timeoutMs: number): Promise<boolean>;
}
