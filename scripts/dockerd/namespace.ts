/** Arguments of unshare(1) for a script that is the first process of its own mount, network and process tree. */
export function namespaceOf(script: string): readonly string[] {
  return ['-m', '-n', '-p', '--fork', '--kill-child', 'sh', script];
}
