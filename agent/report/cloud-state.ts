import type { Outcome } from './cloud-channels.ts';

/** How the Node object fares, for status and for people. */
export interface CloudState {
  readonly phase: 'idle' | 'telling' | 'waiting' | 'stuck';
  /** PascalCase word. */
  readonly reason: string;
  readonly message: string;
}

/** How it fares where nothing was joined. */
export const idle: CloudState = {
  phase: 'idle',
  reason: 'NotJoined',
  message: 'This board belongs to no cluster',
};

/** What an attempt means for people. */
export function stateOf(outcome: Outcome): CloudState {
  switch (outcome.how) {
    case 'done':
      return { phase: 'telling', reason: 'Told', message: 'The Node object says what the board says' };
    case 'no-way': {
      const message = 'This cloud hears only edgecore about this node while it runs';
      return { phase: 'waiting', reason: 'EdgecoreSpeaks', message };
    }
    case 'silent':
      return {
        phase: 'stuck',
        reason: 'CloudSilent',
        message: 'The cloud took the report and did not answer',
      };
    case 'no-node':
      return { phase: 'stuck', reason: 'NodeUnknown', message: outcome.message };
    case 'refused':
      return { phase: 'stuck', reason: 'CloudRefused', message: outcome.message };
    case 'failed':
      return { phase: 'stuck', reason: outcome.end.reason, message: outcome.end.message };
  }
}
