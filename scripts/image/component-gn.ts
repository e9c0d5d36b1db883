import path from 'node:path';
import { componentNames, componentPath } from './component-names.ts';
import type { TreeEntry } from './tree.ts';

const { part, subsystem } = componentNames;

/** A file of the part: where it is in the part's folder and which other names it gets on the board. */
export interface PrebuiltFile {
  /** Absolute path on the board. */
  readonly path: string;
  readonly isProgram: boolean;
  readonly otherNames: readonly string[];
}

/** Files of a tree with the links that lead to them; directories come by the files in them. */
export function prebuiltFiles(entries: readonly TreeEntry[]): PrebuiltFile[] {
  const links = entries.filter((entry) => entry.kind === 'link');
  return entries
    .filter(({ kind }) => kind === 'file' || kind === 'text')
    .map((entry) => ({
      path: entry.path,
      isProgram: (entry.mode & 0o111) !== 0 && !entry.path.startsWith('/system/etc/'),
      otherNames: links
        .filter((link) => path.resolve(path.dirname(link.path), link.target) === entry.path)
        .map((link) => path.basename(link.path)),
    }));
}

/** A GN target name for a path: letters, digits and underscores. */
function targetName(file: string): string {
  return `${part}_${file.replace(/^\/system\//, '').replaceAll(/[^A-Za-z0-9]+/g, '_')}`;
}

/**
 * BUILD.gn with one prebuilt target a file (openharmony/build templates/cxx/prebuilt.gni): nothing is compiled, and
 * nothing is stripped, because stripping breaks Go programs.
 */
export function buildGn(files: readonly PrebuiltFile[]): string {
  const group = files.map((file) => `    ":${targetName(file.path)}",`).join('\n');
  return [
    '# Written by the build of oh-edge-agent; change it there.',
    'import("//build/ohos.gni")',
    '',
    ...files.map(targetText),
    `group("${part}") {`,
    '  deps = [',
    group,
    '  ]',
    '}',
    '',
  ].join('\n');
}

function targetText(file: PrebuiltFile): string {
  const template = file.isProgram ? 'ohos_prebuilt_executable' : 'ohos_prebuilt_etc';
  const names = file.otherNames.map((name) => `"${name}"`).join(', ');
  return [
    `${template}("${targetName(file.path)}") {`,
    `  source = "prebuilts${file.path}"`,
    `  module_install_dir = "${path.posix.dirname(file.path).replace(/^\/system\//, '')}"`,
    '  install_images = [ "system" ]',
    '  install_enable = true',
    ...(file.isProgram ? ['  enable_strip = false'] : []),
    ...(names === '' ? [] : [`  symlink_target_name = [ ${names} ]`]),
    `  part_name = "${part}"`,
    `  subsystem_name = "${subsystem}"`,
    '}',
    '',
  ].join('\n');
}

/** bundle.json of the part. */
export function bundleJson(version: string): string {
  const bundle = {
    name: `@ohos/${part}`,
    description: 'Makes a standard-system board a KubeEdge edge node',
    version,
    license: 'Apache License 2.0',
    publishAs: 'code-segment',
    segment: { destPath: componentPath },
    dirs: {},
    scripts: {},
    component: {
      name: part,
      subsystem,
      syscap: [],
      features: [],
      adapted_system_type: ['standard'],
      rom: '',
      ram: '',
      deps: { components: [], third_party: [] },
      build: { sub_component: [`//${componentPath}:${part}`], inner_kits: [], test: [] },
    },
  };
  return `${JSON.stringify(bundle, null, 2)}\n`;
}

/** Lines for dac.txt: every path whose mode the image builder would not set by itself. */
export function dacLines(entries: readonly TreeEntry[]): string {
  const rows = entries.filter(needsLine).map(({ path: at, mode, uid, gid }) => {
    const octal = mode.toString(8).padStart(5, '0');
    return `${`${at.slice(1)},`.padEnd(64)}${octal},      ${uid},          ${gid},          0`;
  });
  return [`# ${part}`, ...rows, ''].join('\n');
}

/** Defaults and patterns of openharmony/build ohos/images/mkimage/dac.txt: 0755 folders, 0644 files, two known folders. */
function needsLine({ kind, path: at, mode, uid, gid }: TreeEntry): boolean {
  if (kind === 'link') return false;
  const folder = path.posix.dirname(at);
  if (folder === '/system/bin' || folder === '/system/etc/init') return false;
  return mode !== (kind === 'directory' ? 0o755 : 0o644) || uid !== 0 || gid !== 0;
}
