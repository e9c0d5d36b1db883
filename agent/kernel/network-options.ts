/** Bridges, iptables and service proxies. The columns are told in option-table.ts. */
export const networkOptions = `
NETDEVICES ; - ; parents=NET ; kconfig ; NET_CORE and every virtual network device are dropped
NET_CORE ; - ; parents=NETDEVICES default=y ; kconfig ; every virtual network device (VETH, DUMMY, VXLAN) is dropped
VETH ; bridge! cni! ; parents=NET_CORE module ; moby ; a container on a bridge fails to start: failed to create endpoint: operation not supported
BRIDGE ; bridge! cni! ; parents=NET module ; moby ; dockerd ends: Error initializing network controller: package not installed (--bridge=none avoids it)
NETFILTER ; - ; parents=NET ; kconfig ; no packet filter: every iptables and nftables option is dropped
NETFILTER_ADVANCED ; - ; parents=NETFILTER default=y ; kconfig ; BRIDGE_NETFILTER and most matches are dropped
BRIDGE_NETFILTER ; bridge! cni! ; parents=BRIDGE,NETFILTER,INET,NETFILTER_ADVANCED module default=m ; moby ; packets between containers bypass iptables; docker 27.5 and later refuses: set environment variable DOCKER_IGNORE_BR_NETFILTER_ERROR=1 to ignore
NETFILTER_XTABLES ; - ; parents=NETFILTER,INET by=IP_NF_IPTABLES,IP6_NF_IPTABLES module ; kconfig ; every iptables match and target is dropped
IP_NF_IPTABLES ; - ; parents=NETFILTER,INET module ; kconfig ; iptables: Table does not exist (do you need to insmod?)
NF_CONNTRACK ; bridge! ; parents=NETFILTER,INET module ; moby ; no connection tracking: NF_NAT and everything after it is dropped
NF_NAT ; bridge! ; parents=NF_CONNTRACK by=IP_NF_NAT,IP6_NF_NAT,NFT_NAT module ; moby ; no address translation
NF_NAT_IPV4 ; bridge! ; parents=NF_CONNTRACK until=5.2 module ; moby ; no IPv4 address translation
NF_NAT_NEEDED ; bridge! ; until=5.3 ; moby ; no address translation
IP_NF_FILTER ; bridge! ; parents=IP_NF_IPTABLES module ; moby ; dockerd ends: can't initialize iptables table \`filter'
IP_NF_MANGLE ; bridge! ; parents=IP_NF_IPTABLES module ; moby ; no mangle table: swarm's published ports and port marking fail
IP_NF_RAW ; bridge! ; parents=IP_NF_IPTABLES module ; moby-net ; docker run -p fails from docker 28 on (DOCKER_INSECURE_NO_IPTABLES_RAW=1 avoids it)
IP_NF_NAT ; bridge! ; parents=IP_NF_IPTABLES,NF_CONNTRACK module ; moby ; dockerd ends: failed to create NAT chain DOCKER
IP_NF_TARGET_MASQUERADE ; bridge! cni! ; parents=IP_NF_NAT module ; moby ; containers reach no address outside the board. From Linux 5.2 on NETFILTER_XT_TARGET_MASQUERADE alone also does the work, but docker's own check asks for this one, which switches the other on
NETFILTER_XT_TARGET_MASQUERADE ; - ; parents=NETFILTER_XTABLES,NF_NAT by=IP_NF_TARGET_MASQUERADE,IP6_NF_TARGET_MASQUERADE since=5.2 module ; kconfig ; containers reach no address outside the board
IP_NF_TARGET_REJECT ; kube-proxy! ; parents=IP_NF_FILTER module ; kube-proxy ; services without endpoints hang instead of refusing
IP_NF_TARGET_REDIRECT ; bridge? ; parents=IP_NF_NAT,NETFILTER_ADVANCED module ; moby ; iptables -j REDIRECT fails
NETFILTER_XT_TARGET_REDIRECT ; edgemesh! ; parents=NETFILTER_XTABLES,NF_NAT by=IP_NF_TARGET_REDIRECT module ; edgemesh ; iptables -j REDIRECT fails: EdgeMesh sees no service traffic
NETFILTER_XT_NAT ; bridge! ; parents=NETFILTER_XTABLES,NF_NAT by=IP_NF_NAT,IP6_NF_NAT module ; moby-net ; published ports fail: iptables -j DNAT is unknown
NETFILTER_XT_MATCH_ADDRTYPE ; bridge! cni! kube-proxy! ; parents=NETFILTER_XTABLES module ; moby-net ; dockerd ends: iptables: No chain/target/match by that name
NETFILTER_XT_MATCH_CONNTRACK ; bridge! cni! kube-proxy! ; parents=NETFILTER_XTABLES,NF_CONNTRACK module ; moby ; dockerd ends: iptables: No chain/target/match by that name
NETFILTER_XT_MARK ; bridge! cni! kube-proxy! ; parents=NETFILTER_XTABLES by=NETFILTER_XT_MATCH_MARK,NETFILTER_XT_TARGET_MARK module ; moby ; iptables cannot mark packets: hairpin and swarm ports fail
NETFILTER_XT_MATCH_MARK ; cni! kube-proxy! ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; cni ; portmap's hostPort fails: No chain/target/match by that name
NETFILTER_XT_TARGET_MARK ; cni! kube-proxy! ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; cni ; portmap's hostPort fails: No chain/target/match by that name
NETFILTER_XT_MATCH_COMMENT ; cni! kube-proxy! edgemesh! edgecore+ ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; cni ; the bridge plugin's ipMasq and portmap fail; kubelet logs that it cannot make its chains
NETFILTER_XT_MATCH_MULTIPORT ; cni! ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; cni ; portmap's hostPort fails
NETFILTER_XT_MATCH_STATISTIC ; kube-proxy! edgemesh+ ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; kube-proxy ; services with several endpoints fail
NETFILTER_XT_MATCH_RECENT ; kube-proxy+ ; parents=NETFILTER_XTABLES,NETFILTER_ADVANCED module ; kube-proxy ; services with sessionAffinity fail
NETFILTER_XT_MATCH_PHYSDEV ; kube-proxy? ; parents=NETFILTER_XTABLES,BRIDGE_NETFILTER,NETFILTER_ADVANCED module ; kube-proxy ; detect-local-mode BridgeInterface fails
NETFILTER_XT_MATCH_IPVS ; bridge+ swarm! ipvs! ; parents=NETFILTER_XTABLES,IP_VS,NETFILTER_ADVANCED,NF_CONNTRACK module ; moby ; only services of docker swarm and IPVS need it, but docker's own check lists it as necessary
NF_CT_NETLINK ; bridge+ kube-proxy+ ; parents=NF_CONNTRACK module ; moby-net ; old UDP flows keep going to the address of a container that was replaced
IP_SCTP ; bridge? ; parents=INET module ; moby-29 ; no SCTP ports
IP_VS ; swarm! ipvs! bridge? ; parents=INET,NETFILTER module ; moby ; no load balancing between the tasks of a swarm service
IP_VS_NFCT ; swarm! ipvs! bridge? ; parents=IP_VS,NF_CONNTRACK ; moby ; replies of a swarm service are not translated back
IP_VS_PROTO_TCP ; swarm! ipvs! bridge? ; parents=IP_VS ; moby ; no TCP services
IP_VS_PROTO_UDP ; swarm! ipvs! bridge? ; parents=IP_VS ; moby ; no UDP services
IP_VS_RR ; swarm! ipvs! bridge? ; parents=IP_VS module ; moby ; no round robin
IP_VS_WRR ; ipvs+ ; parents=IP_VS module ; kube-proxy ; scheduler wrr is missing
IP_VS_SH ; ipvs+ ; parents=IP_VS module ; kube-proxy ; scheduler sh is missing
IP_SET ; ipvs! ; parents=INET,NETFILTER module ; kube-proxy ; kube-proxy falls back to iptables mode
IP_SET_HASH_IP ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
IP_SET_HASH_NET ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
IP_SET_HASH_IPPORT ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
IP_SET_HASH_IPPORTIP ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
IP_SET_HASH_IPPORTNET ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
IP_SET_BITMAP_PORT ; ipvs! ; parents=IP_SET module ; kube-proxy ; kube-proxy cannot make its sets
NETFILTER_XT_SET ; ipvs! ; parents=NETFILTER_XTABLES,IP_SET,NETFILTER_ADVANCED module ; kube-proxy ; iptables -m set is unknown
DUMMY ; macvlan? ipvs! edgemesh! ; parents=NET_CORE module ; edgemesh ; EdgeMesh cannot make its device edgemesh0; kube-proxy cannot make kube-ipvs0
TUN ; edgemesh+ ; parents=NET_CORE,INET module ; edgemesh ; no tunnel devices (VPN, EdgeMesh CNI)
`;
