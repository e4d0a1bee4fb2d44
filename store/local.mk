# store: librecord.a is pure (record, store_mem); libstorelmdb.a is the driver.
noinst_LIBRARIES += store/librecord.a store/libstorelmdb.a
store_librecord_a_SOURCES = store/store.h
store_librecord_a_SOURCES += store/record.c store/record.h
store_librecord_a_SOURCES += store/store_mem.c store/store_mem.h
store_libstorelmdb_a_SOURCES = store/store_lmdb.c store/store_lmdb.h
store_libstorelmdb_a_SOURCES += store/store_writer.c store/store_writer.h
