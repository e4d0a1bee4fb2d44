# p2p: gossip. libp2p.a is pure; liblink.a (link_*) is the driver that moves bytes.
noinst_LIBRARIES += p2p/libp2p.a p2p/liblink.a
p2p_libp2p_a_SOURCES = p2p/gossip.h
p2p_liblink_a_SOURCES =
