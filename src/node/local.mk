# node: where core, p2p and store meet, pure. One line a module: src_node_libnode_a_SOURCES += src/node/X.c src/node/X.h
noinst_LIBRARIES += src/node/libnode.a
src_node_libnode_a_SOURCES =
src_node_libnode_a_SOURCES += src/node/node.c src/node/node.h src/node/event.h src/node/effect.h
src_node_libnode_a_SOURCES += src/node/node_batch.c src/node/node_effects.c src/node/node_intake.c
src_node_libnode_a_SOURCES += src/node/node_command.c src/node/node_announce.c src/node/node_clock.c
src_node_libnode_a_SOURCES += src/node/node_vote.c src/node/node_rebuild.c src/node/node_emit.c
src_node_libnode_a_SOURCES += src/node/node_internal.h
