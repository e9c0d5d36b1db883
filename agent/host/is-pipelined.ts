import type { ServerResponse } from 'node:http';

/**
 * Reports whether a request came before the one in front of it on its connection was answered. No client of ours does that,
 * and a single packet can hold thousands: all of them would be answered at the same time, at the cost of a gigabyte. Node
 * gives a response its connection when its turn comes (node:http resOnFinish).
 */
export function isPipelined(response: ServerResponse): boolean {
  return response.socket === null;
}
