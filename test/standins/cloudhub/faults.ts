/** Faults on command. An absent field is no fault. */
export interface Faults {
  /** Enrolment port 10002: closed, accepts and never answers, answers 500, or shows an expired certificate. */
  readonly enrol?: 'refuse' | 'hang' | 'error';
  /** WebSocket port 10000: closed, never upgrades, answers 503 as what stands before a cloud that starts, drops each session after its first keepalive, or never replies. */
  readonly hub?: 'refuse' | 'hang' | 'busy' | 'drop' | 'mute';
  /** Certificates handed out: already expired, or not yet valid. */
  readonly issue?: 'expired' | 'not-yet';
  /** Certificate of the servers: expired, or without the address that the nodes use. */
  readonly server?: 'expired' | 'wrong-name';
}

const allowed: Readonly<Record<keyof Faults, readonly string[]>> = {
  enrol: ['refuse', 'hang', 'error'],
  hub: ['refuse', 'hang', 'busy', 'drop', 'mute'],
  issue: ['expired', 'not-yet'],
  server: ['expired', 'wrong-name'],
};

/** Reads faults from JSON of the control port; refuses what it does not know. */
export function parseFaults(value: unknown): Faults {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('Cannot set faults: want an object such as {"hub":"drop"}');
  }
  for (const [name, choice] of Object.entries(value)) {
    const choices = Object.hasOwn(allowed, name) ? allowed[name as keyof Faults] : undefined;
    if (!choices?.includes(String(choice))) {
      throw new Error(
        `Cannot set fault "${name}": ${JSON.stringify(choice)} is unknown, want ${JSON.stringify(allowed)}`,
      );
    }
  }
  return value;
}
