# proto: bytes <-> plain structs. libwire.a is protoc-c's code, libproto.a ours.
noinst_LIBRARIES += proto/libproto.a proto/libwire.a
proto_libproto_a_SOURCES = proto/limits.h
proto_libproto_a_SOURCES += proto/wire.c proto/wire.h
proto_libproto_a_SOURCES += proto/pb_arena.c proto/pb_arena.h
proto_libproto_a_SOURCES += proto/statement_record.c proto/statement_record.h
proto_libproto_a_SOURCES += proto/statement.c proto/statement_kinds.c
proto_libproto_a_SOURCES += proto/envelope.c proto/carrier.c proto/charter.c
proto_libproto_a_SOURCES += proto/indexed.c proto/indexed.h
proto_libproto_a_SOURCES += proto/evidence.c proto/succession.c
proto_libproto_a_SOURCES += proto/frame.c proto/frame.h
proto_libproto_a_SOURCES += proto/frame_peers.c proto/frame_peers.h
proto_libproto_a_SOURCES += proto/control.c proto/control.h
proto_libproto_a_SOURCES += proto/peer_record.c proto/peer_record.h
proto_libproto_a_SOURCES += proto/statement.h
proto_libproto_a_SOURCES += proto/charter.h

nodist_proto_libwire_a_SOURCES = proto/erad.pb-c.c proto/erad.pb-c.h
proto_libwire_a_CFLAGS = $(BARE_CFLAGS)

# One rule for both files: two rules would race under -j.
proto/erad.pb-c.c proto/erad.pb-c.h &: proto/erad.proto
	$(AM_V_GEN)$(MKDIR_P) proto && $(PROTOC_C) -I$(srcdir) --c_out=. $(srcdir)/proto/erad.proto

BUILT_SOURCES += proto/erad.pb-c.c proto/erad.pb-c.h
# For a target built alone, which BUILT_SOURCES do not serve.
$(proto_libproto_a_OBJECTS) $(proto_libwire_a_OBJECTS): proto/erad.pb-c.h
CLEANFILES += proto/erad.pb-c.c proto/erad.pb-c.h
EXTRA_DIST += proto/erad.proto
