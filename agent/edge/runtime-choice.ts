import { factsOf, type RuntimeKind } from './compatibility.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { Release } from './release.ts';

/** How containers shall be started. */
export interface RuntimeWish {
  readonly runtime: 'auto' | RuntimeKind;
  /** CRI endpoint of the operator's own runtime; undefined means the containerd that dockerd manages. */
  readonly criEndpoint: string | undefined;
}

/** The runtime that edgecore gets. */
export interface ChosenRuntime {
  readonly kind: RuntimeKind;
  readonly endpoint: string;
}

/** A runtime, or why the wish does not fit the release, in one sentence. */
export type RuntimeChoice =
  | { readonly ok: true; readonly runtime: ChosenRuntime }
  | { readonly ok: false; readonly message: string };

/** Chooses by release: dockershim is inside edgecore until 1.13, from 1.14 on only CRI is left. */
export function chooseRuntime(release: Release, wish: RuntimeWish, places: EdgePlaces): RuntimeChoice {
  const { runtimes } = factsOf(release.minor);
  const wanted = wish.criEndpoint !== undefined && wish.runtime === 'auto' ? 'cri' : wish.runtime;
  const kind = wanted === 'auto' ? runtimes[0] : wanted;
  if (kind === undefined || !runtimes.includes(kind)) {
    const message = `KubeEdge ${release.text} has no dockershim any more: docker can be used up to 1.13 only; leave --runtime away, then the containerd of dockerd serves it`;
    return { ok: false, message };
  }
  const own = kind === 'docker' ? places.dockerSocket : places.containerdSocket;
  const endpoint = kind === 'cri' ? wish.criEndpoint : undefined;
  return { ok: true, runtime: { kind, endpoint: endpoint ?? `unix://${own}` } };
}

/** Whether dockerd must let its containerd serve CRI (`--cri-containerd`) for this runtime. */
export function needsManagedCri(runtime: ChosenRuntime, places: EdgePlaces): boolean {
  return runtime.kind === 'cri' && runtime.endpoint === `unix://${places.containerdSocket}`;
}
