import { homeDir } from '../core/constants.ts';
import { absolutePath, type KeyRow } from './key-row.ts';

/** Keys of a containerd of our own; part of the one table of keys. */
export const containerdKeys = {
  'containerd.enabled': {
    type: 'boolean',
    default: false,
    applies: 'agent-restart',
    help: 'Supervise a containerd of our own, which dockerd and edgecore (CRI) then share; off leaves it to dockerd. A change ends what runs.',
  },
  'containerd.root': {
    type: 'string',
    ...absolutePath,
    default: `${homeDir}/containerd`,
    applies: 'unit-restart',
    help: 'Where the containerd of our own keeps images and metadata; its program lies in dockerd.binDir.',
  },
} as const satisfies Record<string, KeyRow>;
