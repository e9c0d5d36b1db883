/** IPv6 and network drivers beyond the plain bridge. The columns are told in option-table.ts. */
export const extraNetworkOptions = `
IPV6 ; ipv6! ; parents=INET module default=y ; moby ; no IPv6
IPV6_MULTIPLE_TABLES ; ipv6+ ; parents=IPV6 ; project ; no IPv6 policy rules: containers find no way out past OpenHarmony's routing tables
IP6_NF_IPTABLES ; - ; parents=INET,IPV6,NETFILTER module ; kconfig ; ip6tables: Table does not exist (do you need to insmod?)
IP6_NF_FILTER ; ipv6! ; parents=IP6_NF_IPTABLES module ; moby ; docker 27 and later: ip6tables is enabled, but cannot set up ip6tables chains
IP6_NF_MANGLE ; ipv6! ; parents=IP6_NF_IPTABLES module ; moby ; no IPv6 mangle table
IP6_NF_RAW ; ipv6! ; parents=IP6_NF_IPTABLES module ; moby ; publishing an IPv6 port fails from docker 28 on
IP6_NF_NAT ; ipv6! ; parents=IP6_NF_IPTABLES,NF_CONNTRACK,NETFILTER_ADVANCED module ; moby ; no IPv6 address translation
IP6_NF_TARGET_MASQUERADE ; ipv6! ; parents=IP6_NF_NAT module ; moby ; containers reach no IPv6 address outside the board
IP6_NF_TARGET_REJECT ; ipv6+ ; parents=IP6_NF_FILTER module ; kube-proxy ; IPv6 services without endpoints hang instead of refusing
VXLAN ; swarm! ; parents=NET_CORE,INET module ; moby ; no overlay networks between hosts
VLAN_8021Q ; - ; parents=NET module ; kconfig ; BRIDGE_VLAN_FILTERING is dropped; no tagged networks
BRIDGE_VLAN_FILTERING ; swarm! ; parents=BRIDGE,VLAN_8021Q ; moby ; overlay networks share one broadcast domain on the board
CRYPTO ; swarm-encryption! ; module ; moby ; no encrypted overlay networks
CRYPTO_AEAD ; swarm-encryption! ; parents=CRYPTO by=CRYPTO_GCM,CRYPTO_SEQIV module hidden ; moby ; no encrypted overlay networks
CRYPTO_GCM ; swarm-encryption! ; parents=CRYPTO module ; moby ; no encrypted overlay networks
CRYPTO_SEQIV ; swarm-encryption! ; parents=CRYPTO by=INET_ESP module ; moby ; no encrypted overlay networks
CRYPTO_GHASH ; swarm-encryption! ; parents=CRYPTO by=CRYPTO_GCM module ; moby ; no encrypted overlay networks
XFRM ; swarm-encryption! ; parents=INET by=XFRM_ALGO hidden ; moby ; no encrypted overlay networks
XFRM_USER ; swarm-encryption! ; parents=INET module ; moby ; no encrypted overlay networks
XFRM_ALGO ; swarm-encryption! ; parents=INET by=XFRM_USER,INET_ESP module hidden ; moby ; no encrypted overlay networks
INET_ESP ; swarm-encryption! ; parents=INET module ; moby ; no encrypted overlay networks
NETFILTER_XT_MATCH_BPF ; swarm-encryption! ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; moby ; no encrypted overlay networks from docker 23 on
INET_XFRM_MODE_TRANSPORT ; swarm-encryption! ; parents=XFRM until=5.4 module ; moby ; no encrypted overlay networks
IPVLAN ; ipvlan! ; parents=NET_CORE,INET module ; moby ; no ipvlan networks
MACVLAN ; macvlan! ; parents=NET_CORE module ; moby ; no macvlan networks
NF_TABLES ; nftables! ; parents=NETFILTER,INET module ; moby-29 ; iptables-nft: Failed to initialize nft: Protocol not supported
NF_TABLES_IPV4 ; - ; parents=NF_TABLES ; kconfig ; NFT_FIB_IPV4 is dropped
NF_TABLES_IPV6 ; - ; parents=NF_TABLES,IPV6 ; kconfig ; NFT_FIB_IPV6 is dropped
NFT_CT ; nftables! ; parents=NF_TABLES,NF_CONNTRACK module ; moby-29 ; no connection tracking in nftables
NFT_FIB ; nftables! ; parents=NF_TABLES by=NFT_FIB_IPV4,NFT_FIB_IPV6 module hidden ; moby-29 ; no address type lookup in nftables
NFT_FIB_IPV4 ; nftables! ; parents=NF_TABLES_IPV4 module ; moby-29 ; no address type lookup in nftables
NFT_FIB_IPV6 ; nftables! ; parents=NF_TABLES_IPV6 module ; moby-29 ; no address type lookup in nftables
NFT_MASQ ; nftables! ; parents=NF_TABLES,NF_CONNTRACK,NF_NAT module ; moby-29 ; no masquerading in nftables
NFT_NAT ; nftables! ; parents=NF_TABLES,NF_CONNTRACK,NF_TABLES_IPV4|NF_TABLES_IPV6 module ; moby-29 ; no address translation in nftables
NF_CONNTRACK_FTP ; ftp-helpers! ; parents=NF_CONNTRACK module ; moby ; active FTP from a container fails
NF_NAT_FTP ; ftp-helpers! ; parents=NF_NAT,NF_CONNTRACK_FTP default=y module hidden ; moby ; active FTP from a container fails
NF_CONNTRACK_TFTP ; ftp-helpers! ; parents=NF_CONNTRACK,NETFILTER_ADVANCED module ; moby ; TFTP from a container fails
NF_NAT_TFTP ; ftp-helpers! ; parents=NF_NAT,NF_CONNTRACK_TFTP default=y module hidden ; moby ; TFTP from a container fails
`;
