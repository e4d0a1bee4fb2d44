# ipc: the control and signal sockets, both ends. Speaks NNG's wire protocol; only its tests link NNG.
noinst_LIBRARIES += src/ipc/libipc.a
src_ipc_libipc_a_SOURCES = \
	src/ipc/client.c src/ipc/client.h \
	src/ipc/control.h src/ipc/control_client.c src/ipc/control_server.c \
	src/ipc/server.c src/ipc/server.h \
	src/ipc/signal.c src/ipc/signal.h \
	src/ipc/wire.c src/ipc/wire.h
