import type { Release } from '../cfg/release.ts';
import { componentNames, componentPath } from './component-names.ts';
import { contextOf, type Secon } from './component-selinux.ts';

const { part, subsystem, domain } = componentNames;

/** What the text depends on. */
export interface InstallFacts {
  readonly version: string;
  readonly secon: Secon;
  readonly release: Release | undefined;
  readonly rootDirectories: readonly string[];
}

/** INSTALL.md of the part: the few lines that a product adds, and where releases differ. */
export function installText({ version, secon, release, rootDirectories }: InstallFacts): string {
  const names = rootDirectories.map((name) => `'${name.slice(1)}'`).join(', ');
  return `# ${part} ${version} as an OpenHarmony part

All programs are static arm64 (or carry their own loader): the part works on the 32-bit userland of the default rk3568
product, as long as its kernel is arm64. Nothing is compiled. Written from the sources of OpenHarmony's build; build your
product once and compare the image with \`manifest.json\`.

Its cfg is for ${release === undefined ? 'every release since 3.2; for 3.1 write the part with `--release 3.1`' : `OpenHarmony ${release}`}.

## Every release

1. Copy this folder to \`${componentPath}\` in the tree.
2. \`build/subsystem_config.json\` (or the product's \`subsystem_config_overlay.json\`):

       "${subsystem}": { "path": "${subsystem}", "name": "${subsystem}" }

3. The product's \`config.json\` (\`vendor/hihope/rk3568/config.json\`), in \`subsystems\`:

       { "subsystem": "${subsystem}", "components": [ { "component": "${part}", "features": [] } ] }

4. \`build/ohos/images/mkimage/dac.txt\`: append \`dac.txt\` of this folder; without it programs outside system/bin get mode 0644.
5. The root of the image: in \`_prepare_root\` of \`build/ohos/images/build_image.py\`, behind the loop over \`_dir_list\`:

       for _dir_name in [${names}]:
           os.makedirs(os.path.join(root_dir, _dir_name), exist_ok=True)

   Left out, the agent makes a root of its own at start (\`prep.root: stock\`); everything works, with more mounts.
6. The kernel: \`npm run kconfig -- check\` with the product's files says what is missing, \`-- merge\` writes it.

## The list of privileged processes

Add the entry of \`high_privilege_process_list.json\` to \`security_config/high_privilege_process_list.json\` of the product, or
point \`ext_root_proc_conf_path\` in its \`config.json\` to a list that has it.

- 3.1: there is no such list.
- 3.2: the list exists, the build does not check it.
- 4.0 and later: the build stops at a root service that is not listed.

## SELinux

This part was written with \`"secon" : "${contextOf(secon)}"\` (\`--secon ${secon}\`).

- \`su\` (for development): works on root variant images only, where the type su is permissive. On a user variant the service
  does not start.
- \`own\`: the domain \`${domain}\` of \`sepolicy/\`. On an enforcing image \`sepolicy/NEEDS.txt\` says what the base policy
  forbids and the product has to decide on.
- 3.2: there is no permissive su; sh and console are the permissive ones. Use \`own\`, or build with SELinux permissive.
- 3.1 to 5.x: copy \`sepolicy/public\` and \`sepolicy/system\` to
  \`base/security/selinux_adapter/sepolicy/ohos_policy/${subsystem}/${part}/\`.
- 6.x: or name \`${componentPath}/sepolicy\` in the GN argument \`selinux_adapter_build_path\` (colon-separated).
- Permissive for a development image, any release: the GN argument \`selinux_adapter_enforce=false\` (3.1: \`enforce_selinux\`).

## What differs by release

| release | what to know |
|---|---|
| 3.1 | init refuses a service with a key that it does not know and has no \`syncexec\`: the part needs \`--release 3.1\`; the system has no iptables, so the parts need theirs (\`npm run parts\`); SELinux is permissive |
| 3.2 | kernel 5.10 with one defconfig file; init ignores \`setuid\` in the cfg and needs none |
| 4.x | kernel options go to \`rk3568/product/<device>_defconfig\`, and base_defconfig wins over it; from 4.1 on a service that ended four times is started again after 240 s |
| 5.x | from 5.0.1 on \`"setuid" : true\` in the cfg is what lets runc start containers; from 5.1.0 on the kernel is 6.6 |
| 6.x | as 5.1; \`selinux_adapter_build_path\` takes further policy folders |

## Afterwards

\`hdc shell agentctl doctor\` on the board says what is still missing.
`;
}
