/** Ends a wait that hangs. It measures nothing: a machine that is busy with something else may take its time. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(180_000);
}
