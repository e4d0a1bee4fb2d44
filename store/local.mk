# store: librecord.a is pure (record, store_mem); libstorelmdb.a is the driver.
noinst_LIBRARIES += store/librecord.a store/libstorelmdb.a
store_librecord_a_SOURCES = store/store.h
store_libstorelmdb_a_SOURCES =
