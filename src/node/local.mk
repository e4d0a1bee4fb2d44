# node: where core, p2p and store meet, pure. One line a module: src_node_libnode_a_SOURCES += src/node/X.c src/node/X.h
noinst_LIBRARIES += src/node/libnode.a
src_node_libnode_a_SOURCES =
