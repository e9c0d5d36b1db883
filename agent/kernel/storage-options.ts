/** Storage drivers of docker and the file systems below them. The columns are told in option-table.ts. */
export const storageOptions = `
OVERLAY_FS ; overlay2! ; module ; moby ; no overlay2: dockerd falls back to vfs, a full copy of the image per container, or ends with: driver not supported
F2FS_FS ; - ; parents=BLOCK module ; f2fs ; /data of an OpenHarmony board cannot be mounted
F2FS_FS_XATTR ; overlay2+ ; parents=F2FS_FS default=y ; f2fs ; overlay2 on /data fails: upper fs does not support xattr
F2FS_FS_SECURITY ; overlay2+ ; parents=F2FS_FS_XATTR ; f2fs ; file capabilities of images are lost on /data
F2FS_FS_POSIX_ACL ; overlay2? ; parents=F2FS_FS_XATTR default=y ; f2fs ; access lists of images are lost on /data
EXT4_FS ; overlay2? ; parents=BLOCK module ; moby ; no ext4
EXT4_FS_POSIX_ACL ; overlay2? ; parents=EXT4_FS ; moby ; access lists of images are lost on ext4
EXT4_FS_SECURITY ; overlay2? ; parents=EXT4_FS ; moby ; file capabilities of images are lost on ext4
EXT4_USE_FOR_EXT2 ; - ; parents=EXT4_FS default=y ; moby ; ext2 and ext3 need drivers of their own
EXT3_FS ; overlay2? ; module instead=EXT4_USE_FOR_EXT2 ; moby ; no ext3 below docker
EXT3_FS_XATTR ; overlay2? ; instead=EXT4_USE_FOR_EXT2 until=4.3 ; moby ; no extended attributes on ext3
EXT3_FS_POSIX_ACL ; overlay2? ; parents=EXT3_FS instead=EXT4_USE_FOR_EXT2 ; moby ; no access lists on ext3
EXT3_FS_SECURITY ; overlay2? ; parents=EXT3_FS instead=EXT4_USE_FOR_EXT2 ; moby ; no file capabilities on ext3
FUSE_FS ; docker? ; module ; project ; no fuse-overlayfs where overlay2 is impossible
BTRFS_FS ; btrfs! ; parents=BLOCK module ; moby ; no btrfs storage driver
BTRFS_FS_POSIX_ACL ; btrfs! ; parents=BTRFS_FS ; moby ; access lists of images are lost on btrfs
MD ; - ; parents=BLOCK ; kconfig ; BLK_DEV_DM is dropped
BLK_DEV_DM ; devicemapper! ; parents=MD module ; moby ; no devicemapper storage driver
DM_THIN_PROVISIONING ; devicemapper! ; parents=BLK_DEV_DM module ; moby ; no devicemapper storage driver
`;
