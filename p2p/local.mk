# p2p: gossip. libp2p.a is pure; liblink.a (link_*) is the driver that moves bytes.
noinst_LIBRARIES += p2p/libp2p.a p2p/liblink.a
p2p_libp2p_a_SOURCES = p2p/broadcast.c p2p/broadcast.h p2p/broadcast_internal.h
p2p_libp2p_a_SOURCES += p2p/broadcast_mail.c p2p/broadcast_reference.c p2p/broadcast_table.c p2p/broadcast_rest.c
p2p_libp2p_a_SOURCES += p2p/gossip.c p2p/gossip.h p2p/gossip_internal.h
p2p_libp2p_a_SOURCES += p2p/gossip_actions.c p2p/gossip_actions.h
p2p_libp2p_a_SOURCES += p2p/gossip_anchors.c
p2p_libp2p_a_SOURCES += p2p/gossip_answer.c
p2p_libp2p_a_SOURCES += p2p/gossip_defence.c
p2p_libp2p_a_SOURCES += p2p/gossip_fetch.c
p2p_libp2p_a_SOURCES += p2p/gossip_links.c
p2p_libp2p_a_SOURCES += p2p/gossip_pages.c
p2p_libp2p_a_SOURCES += p2p/gossip_overlay.c
p2p_libp2p_a_SOURCES += p2p/gossip_push.c
p2p_libp2p_a_SOURCES += p2p/gossip_sketch.c
p2p_libp2p_a_SOURCES += p2p/gossip_stuck.c
p2p_libp2p_a_SOURCES += p2p/gossip_sync.c p2p/gossip_sync.h
p2p_libp2p_a_SOURCES += p2p/gossip_table.c p2p/gossip_table.h
p2p_libp2p_a_SOURCES += p2p/gossip_take.c
p2p_libp2p_a_SOURCES += p2p/channel.c p2p/channel.h
p2p_libp2p_a_SOURCES += p2p/noise.c p2p/noise.h
p2p_libp2p_a_SOURCES += p2p/overlay.c p2p/overlay.h
p2p_libp2p_a_SOURCES += p2p/overlay_book.c p2p/overlay_book.h
p2p_libp2p_a_SOURCES += p2p/overlay_view.c p2p/overlay_internal.h
p2p_libp2p_a_SOURCES += p2p/reconcile.c p2p/reconcile.h
p2p_libp2p_a_SOURCES += p2p/setsum.c p2p/setsum.h
p2p_libp2p_a_SOURCES += p2p/sketch.c p2p/sketch.h
p2p_liblink_a_SOURCES = \
	p2p/link_address.c p2p/link_address.h p2p/link_internal.h \
	p2p/link_gate.c p2p/link_gate.h \
	p2p/link_mailbox.c p2p/link_mailbox.h \
	p2p/link_nng.c p2p/link_nng.h \
	p2p/link_queue.c p2p/link_queue.h \
	p2p/link_stream.c
