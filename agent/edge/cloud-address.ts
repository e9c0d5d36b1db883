/** Where cloudcore is. */
export interface CloudAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  /** WebSocket of CloudHub. */
  readonly hubPort: number;
  /** HTTPS of the enrolment. */
  readonly enrolPort: number;
}

/** An address, or what is wrong with its text in one clause. */
export type AddressResult =
  | { readonly ok: true; readonly address: CloudAddress }
  | { readonly ok: false; readonly problem: string };

/** Default ports of cloudcore (kubeedge/kubeedge common/constants/default.go). */
export const defaultPorts = { hub: 10_000, enrol: 10_002, stream: 10_004 } as const;

const hostPattern =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*\.?$/;

/** Reads `HOST`, `HOST:PORT`, `[IPv6]`, `[IPv6]:PORT` or a bare IPv6 address. */
export function parseCloudAddress(text: string, enrolPort: number = defaultPorts.enrol): AddressResult {
  const trimmed = text.trim();
  if (trimmed === '') return broken('is empty; want HOST or HOST:PORT of cloudcore');
  if (trimmed.includes('://')) return broken('is a URL; want HOST or HOST:PORT without https://');
  const taken = takeApart(trimmed);
  if (taken === undefined)
    return broken('is no HOST:PORT; write an IPv6 address in brackets, e.g. [fd00::1]:10000');
  const { host, port } = taken;
  if (!isIpv6(host) && !isHostOrIpv4(host)) return broken(`has no valid host name ("${host}")`);
  const hubPort = port === undefined ? defaultPorts.hub : Number(port);
  if (!isPort(hubPort)) return broken(`has port ${port}, want 1 to 65535`);
  if (!isPort(enrolPort)) return broken(`has enrolment port ${enrolPort}, want 1 to 65535`);
  if (hubPort === enrolPort) {
    return broken(
      `names port ${hubPort}, which is the one for certificates; want the WebSocket port, mostly ${defaultPorts.hub}`,
    );
  }
  return { ok: true, address: { host, hubPort, enrolPort } };
}

/** `host:port` with brackets around an IPv6 address, as Go's net.JoinHostPort writes it. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function takeApart(text: string): { readonly host: string; readonly port: string | undefined } | undefined {
  if (isIpv6(text)) return { host: text, port: undefined };
  const bracket = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracket !== null) {
    const [, host = '', port] = bracket;
    return isIpv6(host) ? { host, port } : undefined;
  }
  const plain = /^([^:]+)(?::(\d+))?$/.exec(text);
  return plain === null ? undefined : { host: plain[1] ?? '', port: plain[2] };
}

function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`);
}

/** A URL refuses what looks like an IPv4 address and is none. */
function isHostOrIpv4(text: string): boolean {
  return hostPattern.test(text) && URL.canParse(`http://${text}/`);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function broken(problem: string): AddressResult {
  return { ok: false, problem };
}
