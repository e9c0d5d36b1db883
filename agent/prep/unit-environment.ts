import type { GroundFacts, GroundQuestions } from '../core/ground-observed.ts';
import { currentPart } from '../core/part-places.ts';
import type { GroundSettings } from './settings.ts';

/** Files that Go programs read certificates from by themselves (go crypto/x509 root_linux.go); OpenHarmony 6.0 has the last one. */
const knownBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const laterBundle = '/etc/ssl/certs/cacert.pem';
/** Hashed directory of OpenHarmony's certificate manager, 3.2 and later. */
const hashedDirectory = '/etc/security/certificates';
/** Lock of the system's own iptables: netsys and dockerd must not write rules at the same time (third_party_iptables config.h). */
const systemLock = '/system/etc/xtables.lock';

/** What the environment of units depends on. */
export const environmentQuestions: GroundQuestions = {
  paths: [...knownBundles, laterBundle, hashedDirectory, systemLock],
  texts: [],
  lists: [],
  sysctls: [],
};

/** Where TLS certificates of authorities come from on this board. */
export type Authorities =
  | { readonly from: 'bundle'; readonly path: string }
  | { readonly from: 'variable'; readonly name: 'SSL_CERT_FILE' | 'SSL_CERT_DIR'; readonly path: string }
  | { readonly from: 'nowhere' };

/** Finds the certificates and says whether programs find them without help. */
export function findAuthorities(facts: GroundFacts): Authorities {
  const isThere = (path: string): boolean => (facts.paths[path]?.kind ?? 'absent') !== 'absent';
  const bundle = knownBundles.find(isThere);
  if (bundle !== undefined) return { from: 'bundle', path: bundle };
  if (isThere(laterBundle)) return { from: 'variable', name: 'SSL_CERT_FILE', path: laterBundle };
  if (isThere(hashedDirectory)) return { from: 'variable', name: 'SSL_CERT_DIR', path: hashedDirectory };
  return { from: 'nowhere' };
}

/** Variables that every unit gets: OpenHarmony's init gives neither PATH nor HOME (startup_init services/etc/init.cfg). */
export function unitEnvironment(
  settings: GroundSettings,
  facts: GroundFacts | undefined,
): Readonly<Record<string, string>> {
  const search = [
    // Always there, whether or not the folder exists: what runs long finds the programs of a later update by it.
    currentPart(settings.home, 'dockerd'),
    settings.binDir,
    `${settings.productDir}/bin`,
    '/system/bin',
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
  ];
  const base = { PATH: search.join(':'), HOME: '/root', TMPDIR: `${settings.home}/tmp` };
  if (facts === undefined) return base;
  const authorities = findAuthorities(facts);
  return {
    ...base,
    ...(authorities.from === 'variable' ? { [authorities.name]: authorities.path } : {}),
    ...((facts.paths[systemLock]?.kind ?? 'absent') === 'absent' ? {} : { XTABLES_LOCKFILE: systemLock }),
  };
}
