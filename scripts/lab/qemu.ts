import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { LabImage } from './image.ts';

/** A port of the board that is reachable on the host's loopback. */
export interface PortForward {
  readonly host: number;
  readonly board: number;
}

/** Everything that differs between one start of the virtual machine and another. */
export interface MachineSettings {
  readonly image: Omit<LabImage, 'product'>;
  /** The disk behind /data; written to. */
  readonly dataDisk: string;
  /** Folder of the machine's sockets; its path must be short. */
  readonly sockets: string;
  readonly consoleLog: string;
  readonly cgroup: 'v1' | 'v2';
  /** Cgroup controllers that the kernel is told to do without, on top of those OpenHarmony's kernel lacks. */
  readonly withoutControllers: readonly string[];
  readonly forwards: readonly PortForward[];
  /** UDP port on the host's loopback where names of the virtual networks are answered; without it they have no name server. */
  readonly namePort?: number | undefined;
  /** Whether no network is there at boot; `netmanager up IF` plugs one in. */
  readonly isUnplugged?: boolean;
  /** Whether the system partition may be written to; what is written is gone with the machine. */
  readonly isSystemWritable?: boolean;
}

/** Addresses by which the netmanager stand-in knows its interfaces. */
const cards = [
  { name: 'eth0', mac: '52:54:00:0e:a0:01', network: '10.0.2.0/24' },
  { name: 'wlan0', mac: '52:54:00:0e:a0:02', network: '10.0.3.0/24' },
];

/** Controllers that Debian's kernel has and OpenHarmony's rk3568 configuration has not (kernel_linux_config, 5.0 to 7.0). */
const foreignControllers = ['hugetlb', 'perf_event', 'net_cls', 'net_prio', 'rdma', 'misc', 'blkio'];

/** The command line of the kernel. */
export function kernelArguments(
  settings: Pick<MachineSettings, 'cgroup' | 'withoutControllers' | 'namePort' | 'isUnplugged'>,
): string {
  return [
    'console=ttyAMA0 loglevel=5 printk.devkmsg=on panic=1 rdinit=/first-stage',
    // SELinux would need OpenHarmony's policy; the security modules that OpenHarmony does not have stay out.
    'apparmor=0 lsm=lockdown,yama,loadpin,safesetid,integrity,bpf',
    `cgroup_disable=${[...foreignControllers, ...settings.withoutControllers].join(',')}`,
    'ohos.boot.hardware=virt ohos.boot.sn=LAB0000000000001',
    `ohos.boot.lab_cgroup=${settings.cgroup}`,
    ...(settings.namePort === undefined ? [] : [`ohos.boot.lab_names=${settings.namePort}`]),
    ...(settings.isUnplugged === true ? ['ohos.boot.lab_unplugged=yes'] : []),
  ].join(' ');
}

/** Arguments of qemu-system-aarch64 for one board. */
export function machineArguments(settings: MachineSettings): string[] {
  const { image, sockets } = settings;
  const forwards = settings.forwards.map(({ host, board }) => `,hostfwd=tcp:127.0.0.1:${host}-:${board}`);
  const options: string[][] = [
    accelerator(),
    ['-smp', '2'],
    ['-m', '2048'],
    ['-nodefaults', '-no-user-config'],
    ['-display', 'none'],
    ['-kernel', image.kernel],
    ['-initrd', image.initrd],
    ['-append', kernelArguments(settings)],
    ['-serial', `file:${settings.consoleLog}`],
    ['-device', 'virtio-rng-device'],
    disk('system', image.system, settings.isSystemWritable ? 'snapshot=on' : 'readonly=on'),
    disk('vendor', image.vendor, 'readonly=on'),
    // The host's page cache outlives the machine: a killed machine loses what its own kernel had not written yet, no more.
    disk('userdata', settings.dataDisk, 'cache=unsafe,discard=unmap'),
    ['-device', 'virtio-serial-device'],
    ['-chardev', `socket,id=hdc,path=${path.join(sockets, 'hdc')},server=on,wait=off`],
    ['-device', 'virtserialport,chardev=hdc,name=oea.lab.0'],
    ['-qmp', `unix:${path.join(sockets, 'qmp')},server=on,wait=off`],
    ...cards.map(({ name, mac, network }, index) => [
      '-netdev',
      `user,id=${name},ipv6=off,net=${network}${index === 0 ? forwards.join('') : ''}`,
      '-device',
      `virtio-net-device,netdev=${name},mac=${mac}`,
    ]),
  ];
  return options.flat();
}

function disk(serial: string, file: string, options: string): string[] {
  const drive = `if=none,id=${serial},format=raw,file=${file},${options}`;
  return ['-drive', drive, '-device', `virtio-blk-device,drive=${serial},serial=${serial}`];
}

/** An arm64 host runs the board on its own processor; any other one translates. */
function accelerator(): string[] {
  if (process.arch === 'arm64' && canUse('/dev/kvm'))
    return ['-machine', 'virt', '-cpu', 'host', '-accel', 'kvm'];
  return ['-machine', 'virt', '-cpu', 'cortex-a72', '-accel', 'tcg,thread=multi'];
}

function canUse(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
