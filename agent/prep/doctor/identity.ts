import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import { backing } from '../places.ts';
import type { GroundSettings } from '../settings.ts';
import { findAuthorities } from '../unit-environment.ts';
import { fine, found } from './finding.ts';

/** Who this board is, and whom it trusts. */
export function checkIdentity(
  observed: ObservedGround,
  settings: GroundSettings,
  nodeName: string,
): readonly Finding[] {
  return [checkName(observed, nodeName), checkMachineId(observed, settings), checkAuthorities(observed)];
}

function checkName(observed: ObservedGround, nodeName: string): Finding {
  const title = 'The board has a name of its own';
  const host = observed.sysctls['kernel.hostname'] ?? '';
  if (nodeName !== '') return fine('identity.name', title, `node.name is ${nodeName}`);
  if (host !== '' && host !== 'localhost') return fine('identity.name', title, `hostname ${host}`);
  return found('identity.name', title, {
    severity: 'info',
    seen: 'hostname localhost, as on every OpenHarmony board, and no node.name',
    wanted: 'a name that no other node of the cluster has',
    why: 'Two boards that join as localhost take over each other',
    fix: 'set node.name, or give --node-name to agentctl join',
  });
}

function checkMachineId(observed: ObservedGround, settings: GroundSettings): Finding {
  const title = 'The board has a machine id';
  const paths = ['/etc/machine-id', '/var/lib/dbus/machine-id', backing(settings, '/etc/machine-id')];
  const path = paths.find((one) => /^[0-9a-f]{32}\s*$/.test(observed.paths[one]?.text ?? ''));
  if (path !== undefined) return fine('identity.machine-id', title, path);
  return found('identity.machine-id', title, {
    severity: 'info',
    seen: 'neither /etc/machine-id nor /var/lib/dbus/machine-id holds one',
    wanted: '32 hexadecimal digits',
    why: 'The node reports an empty machine id, and tools that tell nodes apart by it take boards for one',
    fix: 'agentctl apply',
  });
}

function checkAuthorities(observed: ObservedGround): Finding {
  const title = 'Certificates of authorities are there';
  const authorities = findAuthorities(observed);
  if (authorities.from === 'bundle') return fine('tls.authorities', title, authorities.path);
  if (authorities.from === 'variable') {
    return fine('tls.authorities', title, `${authorities.path}, given to units by ${authorities.name}`);
  }
  return found('tls.authorities', title, {
    severity: 'warning',
    seen: 'no bundle in /etc/ssl and no /etc/security/certificates',
    wanted: 'a bundle that Go programs find, e.g. /etc/ssl/certs/ca-certificates.crt',
    why: 'Pulls fail with "x509: certificate signed by unknown authority"',
    fix: 'add the bundle to the image (OpenHarmony: security_certificate_manager), or use a registry on plain http in the LAN',
  });
}
