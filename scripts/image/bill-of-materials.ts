import * as v from 'valibot';
import { productName } from '../../agent/core/constants.ts';
import type { InstalledPart } from '../parts/lock-file.ts';
import { manifest } from '../parts/manifest.ts';

/** What the bill is made from. */
export interface BillSources {
  readonly version: string;
  readonly licence: string;
  readonly parts: Readonly<Record<string, InstalledPart>>;
  /** Text of package-lock.json: what is bundled into agent.js and agentctl.js comes from there. */
  readonly packageLock: string;
  /** Seconds since 1970, or null to leave the time out. */
  readonly epoch: number | null;
}

const lockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({
      version: v.optional(v.string()),
      // Some old development packages have a list of objects here; such a licence counts as not named.
      license: v.fallback(v.optional(v.string()), undefined),
      integrity: v.optional(v.string()),
      dev: v.optional(v.boolean()),
      devOptional: v.optional(v.boolean()),
    }),
  ),
});

/** Software bill of materials in CycloneDX 1.5 JSON: the product, the parts in it, and the packages bundled into it. */
export function billOfMaterials(sources: BillSources): string {
  const { version, licence, parts, epoch } = sources;
  const component = {
    type: 'application',
    'bom-ref': productName,
    name: productName,
    version,
    licenses: licences(licence),
  };
  const timestamp = epoch === null ? {} : { timestamp: new Date(epoch * 1000).toISOString() };
  const components = [...Object.entries(parts).map(partComponent), ...packageComponents(sources.packageLock)];
  const refs = components.map((one) => one['bom-ref']);
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { ...timestamp, component },
    components,
    dependencies: [{ ref: productName, dependsOn: refs }],
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function licences(expression: string): readonly object[] {
  return [{ expression }];
}

function partComponent([name, part]: [string, InstalledPart]) {
  const known = manifest.find((one) => one.name === name && one.version === part.version);
  const licence = known?.licence ?? manifest.find((one) => one.name === name)?.licence;
  const url = known?.source.kind === 'download' ? known.source.url : undefined;
  const files = Object.entries(part.files).map(([file, { sha256 }]) => ({
    type: 'file',
    name: file,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  }));
  return {
    type: 'application',
    'bom-ref': `part:${name}@${part.version}`,
    name,
    version: part.version,
    ...(licence === undefined ? {} : { licenses: licences(licence) }),
    ...(part.source === null ? {} : { hashes: [{ alg: 'SHA-256', content: part.source }] }),
    ...(url === undefined ? {} : { externalReferences: [{ type: 'distribution', url }] }),
    properties: [{ name: `${productName}:vouchedBy`, value: part.vouchedBy }],
    components: files,
  };
}

function packageComponents(text: string) {
  const { packages } = v.parse(lockSchema, JSON.parse(text));
  const rows = Object.entries(packages).filter(
    ([at, one]) => at !== '' && one.dev !== true && one.devOptional !== true,
  );
  const found = rows.map(([at, one]) => {
    const name = at.replace(/^.*node_modules\//, '');
    const purl = `pkg:npm/${name.replace('@', '%40')}@${one.version ?? ''}`;
    const digest = /^sha512-(.+)$/.exec(one.integrity ?? '')?.[1];
    return {
      type: 'library',
      'bom-ref': purl,
      name,
      version: one.version ?? '',
      ...(one.license === undefined ? {} : { licenses: licences(one.license) }),
      ...(digest === undefined
        ? {}
        : { hashes: [{ alg: 'SHA-512', content: Buffer.from(digest, 'base64').toString('hex') }] }),
      purl,
    };
  });
  const unique = new Map(found.map((one) => [one.purl, one]));
  return [...unique.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}
